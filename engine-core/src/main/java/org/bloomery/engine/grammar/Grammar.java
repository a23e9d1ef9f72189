package org.bloomery.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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
     * What may stand around a constrained answer.
     *
     * @param reasoningEnd ends the reasoning that the prompt began; the constrained answer stands behind it. Null where the
     *     prompt began none
     * @param calls what may take the constrained answer's place, or null for nothing
     */
    public record Around(
            @Nullable String reasoningEnd, @Nullable Calls calls) {

        /** The constrained answer alone. */
        public static final Around NOTHING = new Around(null, null);
    }

    /**
     * One or more calls of tools, each a JSON document between two marks.
     *
     * @param schema JSON Schema of the document
     */
    public record Calls(String open, String schema, String close) {}

    /**
     * Compiles a constraint.
     *
     * @throws GrammarException naming what is broken, not supported or too large, and where it stands
     */
    public static Grammar of(Constraint constraint, Around around) {
        Rules rules = switch (constraint) {
            case Constraint.JsonSchema json -> SchemaCompiler.compile(json.schema());
            case Constraint.Regex regex -> regexRules(regex.pattern());
            case Constraint.Choices choices -> choiceRules(choices.texts());
            case Constraint.Gbnf gbnf -> GbnfParser.compile(gbnf.grammar());
        };
        return new Grammar(NetworkBuilder.build(around.equals(Around.NOTHING) ? rules : surrounded(rules, around)));
    }

    /** Documents that are valid for a JSON Schema. */
    public static Grammar jsonSchema(String schema) {
        return of(new Constraint.JsonSchema(schema), Around.NOTHING);
    }

    /** Texts that a regular expression matches from beginning to end. */
    public static Grammar regex(String pattern) {
        return of(new Constraint.Regex(pattern), Around.NOTHING);
    }

    /** These texts. */
    public static Grammar choices(List<String> texts) {
        return of(new Constraint.Choices(texts), Around.NOTHING);
    }

    /** Texts of a grammar in GBNF. */
    public static Grammar gbnf(String grammar) {
        return of(new Constraint.Gbnf(grammar), Around.NOTHING);
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

    private static Rules surrounded(Rules inner, Around around) {
        Rules answer = Rules.of(new Expr.Rule(1), "the answer", inner.budget()).with(inner);
        Expr whole = answer.rules().getFirst();
        Expr space = new Expr.Repeat(new Expr.Chars(CodePoints.of(" \n")), 0, 4);
        Calls calls = around.calls();
        if (calls != null) {
            Expr call = Expr.sequence(
                    Expr.literal(calls.open()),
                    space,
                    new Expr.Rule(answer.rules().size()),
                    space,
                    Expr.literal(calls.close()));
            whole = Expr.choice(
                    whole, Expr.sequence(call, new Expr.Repeat(Expr.sequence(space, call), 0, Integer.MAX_VALUE)));
            answer = answer.with(SchemaCompiler.compile(calls.schema()));
        }
        String end = around.reasoningEnd();
        if (end != null) {
            Budget budget = inner.budget();
            CharDfa reasoning = Regex.within(end.replaceAll("[^A-Za-z0-9]", "\\\\$0"), budget)
                    .not(budget);
            whole = Expr.sequence(new Expr.Text(reasoning, false), Expr.literal(end), space, whole);
        }
        List<Expr> rules = new ArrayList<>(answer.rules());
        rules.set(0, whole);
        return new Rules(rules, answer.names(), answer.budget());
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
