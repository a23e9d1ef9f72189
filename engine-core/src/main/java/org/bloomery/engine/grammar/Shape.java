package org.bloomery.engine.grammar;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an answer is made of, for those who know how a model marks its parts: text around a constrained answer, reasoning
 * before it, calls of tools in its place. Only a description: {@link Grammar} compiles it.
 */
public sealed interface Shape {

    /** Nothing. */
    Shape NOTHING = new Sequence(List.of());

    /** The place of the constrained answer. */
    Shape ANSWER = new Answer();

    /** White space between marks, bounded. */
    Shape SPACE = new Space();

    /** In a {@link Layout}: the name of the member. */
    Shape NAME = new Name();

    /** See {@link #NAME}. */
    record Name() implements Shape {}

    /** See {@link #ANSWER}. */
    record Answer() implements Shape {}

    /** See {@link #SPACE}. */
    record Space() implements Shape {}

    /** Exactly this text. */
    record Text(String text) implements Shape {}

    /** A mark: this text, or the control token that a vocabulary spells so. */
    record Mark(String text) implements Shape {}

    /**
     * Any text in which an expression matches nowhere.
     *
     * @param without a regular expression in the syntax of {@link org.bloomery.engine.Constraint.Regex}
     */
    record Free(String without) implements Shape {}

    /** Text that an expression matches from beginning to end. */
    record Pattern(String pattern) implements Shape {}

    /**
     * A JSON document that is valid for a schema.
     *
     * @param schema a JSON Schema
     * @param subject what the schema is, as errors name it: "The schema of tool 'search'"
     * @param quote a mark around strings, which then have no escapes, and around no names: Gemma's notation; null for JSON
     */
    record Json(String schema, String subject, @Nullable String quote) implements Shape {}

    /**
     * The members of an object that is valid for a schema, written between marks.
     *
     * @param schema a JSON Schema of an object
     * @param subject as in {@link Json}
     */
    record Arguments(String schema, String subject, Layout layout) implements Shape {}

    /** One after the other. */
    record Sequence(List<Shape> parts) implements Shape {
        public Sequence {
            parts = List.copyOf(parts);
        }
    }

    /** One of several. */
    record OneOf(List<Shape> alternatives) implements Shape {
        public OneOf {
            alternatives = List.copyOf(alternatives);
        }
    }

    /**
     * Several times.
     *
     * @param most {@link Integer#MAX_VALUE} for no bound
     */
    record Repeat(Shape body, int least, int most) implements Shape {}

    /**
     * How members of an object are written; every shape here is made of texts, marks, space and {@link #NAME}.
     *
     * @param beforeName before a name
     * @param beforeText behind the name, before a value that is text
     * @param afterText behind such a value
     * @param beforeJson behind the name, before a value that is JSON
     * @param afterJson behind such a value; where it holds the name, no members are written but those that the schema names
     * @param separator between two members
     * @param notInText a regular expression that text matches nowhere, since it would end it
     * @param jsonText whether text may be a JSON string too
     */
    record Layout(
            Shape beforeName,
            Shape beforeText,
            Shape afterText,
            Shape beforeJson,
            Shape afterJson,
            Shape separator,
            String notInText,
            boolean jsonText) {}

    static Shape text(String text) {
        return new Text(text);
    }

    static Shape mark(String text) {
        return text.isEmpty() ? NOTHING : new Mark(text);
    }

    static Shape sequence(Shape... parts) {
        return new Sequence(List.of(parts));
    }

    static Shape oneOf(List<? extends Shape> alternatives) {
        return alternatives.size() == 1 ? alternatives.getFirst() : new OneOf(new ArrayList<>(alternatives));
    }

    static Shape optional(Shape body) {
        return new Repeat(body, 0, 1);
    }

    /** Once or more often, with something between. */
    static Shape several(Shape body, Shape between) {
        return sequence(body, new Repeat(sequence(between, body), 0, Integer.MAX_VALUE));
    }

    /** Any text that holds none of these. */
    static Shape without(List<String> texts) {
        return new Free(
                texts.stream().map(Shape::quoted).reduce((a, b) -> a + "|" + b).orElse("[^\\s\\S]"));
    }

    /** A regular expression that matches these texts. */
    static String anyOf(List<String> texts) {
        return String.join("|", texts.stream().map(Shape::quoted).toList());
    }

    /** A text as a regular expression that matches it only. */
    static String quoted(String text) {
        return text.replaceAll("[\\\\^$.*+?()\\[\\]{}|/-]", "\\\\$0");
    }
}
