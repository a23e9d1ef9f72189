package org.bloomery.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.bloomery.engine.Constraint;
import org.jspecify.annotations.Nullable;

/**
 * A compiled {@link Constraint}: which bytes may follow which. Immutable and safe for use by many threads; independent of
 * any vocabulary.
 */
public final class Grammar {

    private final Network network;

    private Grammar(Network network) {
        this.network = network;
    }

    /**
     * Compiles a constraint.
     *
     * @throws GrammarException naming what is broken, not supported or too large, and where it stands
     */
    public static Grammar of(Constraint constraint) {
        return of(constraint, Shape.ANSWER);
    }

    /**
     * Compiles an answer's shape.
     *
     * @param constraint what stands in the place of {@link Shape#ANSWER}; null for a shape that has no such place
     * @throws GrammarException naming what is broken, not supported or too large, and where it stands
     */
    public static Grammar of(@Nullable Constraint constraint, Shape shape) {
        Rules rules = switch (constraint) {
            case null -> Rules.of(Expr.NEVER, "nothing", new Budget("The answer's shape"));
            case Constraint.JsonSchema json -> SchemaCompiler.compile(json.schema());
            case Constraint.Regex regex -> regexRules(regex.pattern());
            case Constraint.Choices choices -> choiceRules(choices.texts());
            case Constraint.Gbnf gbnf -> GbnfParser.compile(gbnf.grammar());
        };
        return new Grammar(
                NetworkBuilder.build(shape.equals(Shape.ANSWER) ? rules : ShapeCompiler.compile(shape, rules)));
    }

    /** Documents that are valid for a JSON Schema. */
    public static Grammar jsonSchema(String schema) {
        return of(new Constraint.JsonSchema(schema));
    }

    /** Texts that a regular expression matches from beginning to end. */
    public static Grammar regex(String pattern) {
        return of(new Constraint.Regex(pattern));
    }

    /** These texts. */
    public static Grammar choices(List<String> texts) {
        return of(new Constraint.Choices(texts));
    }

    /** Texts of a grammar in GBNF. */
    public static Grammar gbnf(String grammar) {
        return of(new Constraint.Gbnf(grammar));
    }

    private static Rules regexRules(String pattern) {
        Budget budget = new Budget("The regular expression");
        return Rules.of(new Expr.Text(Regex.matching(pattern, budget), false), "the expression", budget);
    }

    private static Rules choiceRules(List<String> texts) {
        Budget budget = new Budget("The list of choices");
        if (texts.isEmpty()) {
            throw budget.refuse("is empty; give at least one text.");
        }
        for (String text : texts) {
            if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
                throw budget.refuse("has half of a surrogate pair in a text, which is no character; leave it out.");
            }
        }
        return Rules.of(new Expr.Text(CharDfa.of(texts, budget), false), "the list", budget);
    }

    Network network() {
        return network;
    }

    /** States of the automaton. */
    public int states() {
        return network.states();
    }

    /** Memory it takes, in bytes. */
    public long byteSize() {
        return network.byteSize();
    }

    /** Whether a text, in UTF-8, keeps to it as a whole. */
    public boolean matches(byte[] text) {
        Automaton automaton = new Automaton(network);
        Automaton.State state = automaton.start();
        for (byte b : text) {
            state = automaton.next(state, b & 0xFF);
        }
        return state.accepting();
    }
}
