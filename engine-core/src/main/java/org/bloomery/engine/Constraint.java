package org.bloomery.engine;

import java.util.List;

/**
 * What an answer must look like. Only a description: the engine compiles it and refuses what it cannot hold an answer to. Its
 * string form leaves the description out, which may be text of the application's.
 */
public sealed interface Constraint {

    /** Bytes that the description takes, roughly. */
    int size();

    /**
     * A JSON document that is valid for a schema.
     *
     * @param schema a JSON Schema, draft 2020-12
     */
    record JsonSchema(String schema) implements Constraint {
        @Override
        public int size() {
            return 2 * schema.length();
        }

        @Override
        public String toString() {
            return "JsonSchema[" + schema.length() + " characters]";
        }
    }

    /**
     * Text that a regular expression matches from its beginning to its end.
     *
     * @param pattern a regular expression in the syntax of ECMA-262, without back references and assertions other than
     *     {@code ^} and {@code $}
     */
    record Regex(String pattern) implements Constraint {
        @Override
        public int size() {
            return 2 * pattern.length();
        }

        @Override
        public String toString() {
            return "Regex[" + pattern.length() + " characters]";
        }
    }

    /**
     * One of several texts.
     *
     * @param texts at least one
     */
    record Choices(List<String> texts) implements Constraint {

        public Choices {
            texts = List.copyOf(texts);
        }

        @Override
        public int size() {
            return texts.stream().mapToInt(text -> 2 * text.length() + 16).sum();
        }

        @Override
        public String toString() {
            return "Choices[" + texts.size() + " texts]";
        }
    }

    /**
     * Text of a context-free language.
     *
     * @param grammar rules in GBNF, llama.cpp's notation, beginning with {@code root}
     */
    record Gbnf(String grammar) implements Constraint {
        @Override
        public int size() {
            return 2 * grammar.length();
        }

        @Override
        public String toString() {
            return "Gbnf[" + grammar.length() + " characters]";
        }
    }
}
