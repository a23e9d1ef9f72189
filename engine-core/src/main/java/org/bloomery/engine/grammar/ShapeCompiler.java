package org.bloomery.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Translates a {@link Shape} to rules over bytes. */
final class ShapeCompiler {

    private static final Expr SPACE = new Expr.Repeat(new Expr.Chars(CodePoints.of(" \n")), 0, 9);

    private final Budget budget;
    private final List<Expr> rules = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final Map<Object, Expr> known = new HashMap<>();

    private ShapeCompiler(Budget budget) {
        this.budget = budget;
    }

    /**
     * The rules of a shape.
     *
     * @param answer of the constrained answer; its budget pays for everything
     */
    static Rules compile(Shape shape, Rules answer) {
        ShapeCompiler compiler = new ShapeCompiler(answer.budget());
        compiler.rules.add(Expr.NEVER);
        compiler.names.add("the answer");
        compiler.known.put(Shape.ANSWER, compiler.add(answer));
        compiler.rules.set(0, compiler.write(shape));
        return new Rules(compiler.rules, compiler.names, compiler.budget);
    }

    private Expr add(Rules others) {
        int first = rules.size();
        Rules all = new Rules(rules, names, budget).with(others);
        rules.addAll(all.rules().subList(first, all.rules().size()));
        names.addAll(others.names());
        return new Expr.Rule(first);
    }

    private Expr write(Shape shape) {
        budget.spend(16);
        return switch (shape) {
            case Shape.Text text -> fixed(text, "");
            case Shape.Mark mark -> fixed(mark, "");
            case Shape.Space space -> fixed(space, "");
            case Shape.Name name -> fixed(name, "");
            case Shape.Sequence sequence ->
                new Expr.Sequence(sequence.parts().stream().map(this::write).toList());
            case Shape.OneOf oneOf ->
                new Expr.Choice(oneOf.alternatives().stream().map(this::write).toList());
            case Shape.Repeat repeat -> new Expr.Repeat(write(repeat.body()), repeat.least(), repeat.most());
            case Shape.Answer answer -> rule(shape);
            case Shape.Free free -> rule(shape);
            case Shape.Pattern pattern -> rule(shape);
            case Shape.Json json -> rule(shape);
            case Shape.Arguments arguments -> rule(shape);
        };
    }

    /** A rule of its own, made once. */
    private Expr rule(Shape shape) {
        Expr rule = known.get(shape);
        if (rule == null) {
            rule = add(
                    switch (shape) {
                        case Shape.Free free ->
                            Rules.of(
                                    new Expr.Text(
                                            Regex.within(free.without(), budget).not(budget), false),
                                    "free text",
                                    budget);
                        case Shape.Pattern pattern ->
                            Rules.of(new Expr.Text(Regex.matching(pattern.pattern(), budget), false), "text", budget);
                        case Shape.Json json ->
                            SchemaCompiler.compile(json.schema(), json.quote(), budget.of(json.subject()));
                        case Shape.Arguments arguments ->
                            SchemaCompiler.arguments(
                                    arguments.schema(), arguments.layout(), budget.of(arguments.subject()));
                        default -> throw new IllegalArgumentException("no shape with a rule of its own: " + shape);
                    });
            known.put(shape, rule);
        }
        return rule;
    }

    /** A shape made of texts, marks, space and the name of a member. */
    static Expr fixed(Shape shape, String name) {
        return switch (shape) {
            case Shape.Text text -> Expr.literal(text.text());
            case Shape.Mark mark -> mark(mark.text());
            case Shape.Space space -> SPACE;
            case Shape.Name place -> Expr.literal(name);
            case Shape.Sequence sequence ->
                new Expr.Sequence(
                        sequence.parts().stream().map(part -> fixed(part, name)).toList());
            default -> throw new IllegalArgumentException("not only texts, marks, space and names: " + shape);
        };
    }

    /** Whether such a shape holds the name of a member. */
    static boolean isNamed(Shape shape) {
        return shape.equals(Shape.NAME)
                || (shape instanceof Shape.Sequence sequence
                        && sequence.parts().stream().anyMatch(ShapeCompiler::isNamed));
    }

    /** A mark as text, or as the control token that is spelled so. */
    static Expr mark(String text) {
        return Expr.choice(Expr.literal(text), new Expr.Literal(control(text)));
    }

    /** The bytes that stand for a control token of this spelling; no text holds the first and the last. */
    static byte[] control(String spelling) {
        byte[] text = spelling.getBytes(StandardCharsets.UTF_8);
        byte[] bytes = new byte[text.length + 2];
        bytes[0] = (byte) 0xFF;
        System.arraycopy(text, 0, bytes, 1, text.length);
        bytes[text.length + 1] = (byte) 0xFE;
        return bytes;
    }

    /** Whether bytes may be a piece of text: without those that stand around control tokens. */
    static boolean isText(byte[] bytes) {
        for (byte b : bytes) {
            if ((b & 0xFE) == 0xFE) {
                return false;
            }
        }
        return true;
    }
}
