package org.bloomery.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.List;

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
        return switch (constraint) {
            case Constraint.JsonSchema json -> jsonSchema(json.schema());
            case Constraint.Regex regex -> regex(regex.pattern());
            case Constraint.Choices choices -> choices(choices.texts());
            case Constraint.Gbnf gbnf -> gbnf(gbnf.grammar());
        };
    }

    /** Documents that are valid for a JSON Schema. */
    public static Grammar jsonSchema(String schema) {
        return new Grammar(SchemaCompiler.compile(schema));
    }

    /** Texts that a regular expression matches from beginning to end. */
    public static Grammar regex(String pattern) {
        Budget budget = new Budget("The regular expression");
        return of(new Expr.Text(Regex.matching(pattern, budget), false), "the expression", budget);
    }

    /** These texts. */
    public static Grammar choices(List<String> texts) {
        Budget budget = new Budget("The list of choices");
        if (texts.isEmpty()) {
            throw budget.refuse("is empty; give at least one text.");
        }
        for (String text : texts) {
            if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
                throw budget.refuse("has half of a surrogate pair in a text, which is no character; leave it out.");
            }
        }
        return of(new Expr.Text(CharDfa.of(texts, budget), false), "the list", budget);
    }

    /** Texts of a grammar in GBNF. */
    public static Grammar gbnf(String grammar) {
        return new Grammar(GbnfParser.compile(grammar));
    }

    private static Grammar of(Expr expr, String name, Budget budget) {
        return new Grammar(NetworkBuilder.build(List.of(expr), List.of(name), budget));
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
