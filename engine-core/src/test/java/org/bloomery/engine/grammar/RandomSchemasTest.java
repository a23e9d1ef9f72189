package org.bloomery.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Schemas of every kind, made at random: each answer under one must be valid for an independent validator. */
class RandomSchemasTest {

    private static final int SCHEMAS = 1_000;
    private static final int ANSWERS = 100;

    private static final String[] PATTERNS = {
        "^[a-z]{1,6}$", "\\\\d", "^\\\\S+$", "a|b", "^(yes|no|maybe)$", "^[^\\\"]*$", "x.y", "^\\\\w+( \\\\w+)?$"
    };
    private static final String[] FORMATS = {
        "date", "date-time", "uuid", "ipv4", "ipv6", "uri", "hostname", "duration", "unknown"
    };

    /** A generator of schemas. */
    private static final class Generator {

        private final Random random;
        private int definitions;

        Generator(Random random) {
            this.random = random;
        }

        String document() {
            definitions = random.nextInt(3);
            String schema = schema(0);
            if (definitions == 0 || schema.equals("true")) {
                return definitions == 0 ? schema : "{}";
            }
            StringBuilder defs = new StringBuilder();
            for (int i = 0; i < definitions; i++) {
                defs.append(i > 0 ? "," : "")
                        .append("\"d")
                        .append(i)
                        .append("\":")
                        .append(object(2));
            }
            return schema.substring(0, schema.length() - 1) + (schema.equals("{}") ? "" : ",") + "\"$defs\":{" + defs
                    + "}}";
        }

        private String schema(int depth) {
            int kind = random.nextInt(depth < 3 ? 14 : 6);
            return switch (kind) {
                case 0, 1 -> string();
                case 2 -> number();
                case 3 -> "{\"type\":[\"" + pick("string", "integer", "boolean") + "\",\"null\"]}";
                case 4 -> enumeration();
                case 5 ->
                    definitions > 0
                            ? "{\"$ref\":\"#/$defs/d" + random.nextInt(definitions) + "\"}"
                            : "{\"type\":\"boolean\"}";
                case 6, 7, 8 -> object(depth + 1);
                case 9, 10 -> array(depth + 1);
                case 11 -> "{\"anyOf\":[" + schema(depth + 1) + "," + schema(depth + 1) + "]}";
                case 12 ->
                    "{\"oneOf\":[" + string() + "," + number() + "," + object(depth + 1) + ",{\"type\":\"null\"}]}";
                default -> "{\"allOf\":[" + object(depth + 1) + "," + object(depth + 1) + "]}";
            };
        }

        private String pick(String... of) {
            return of[random.nextInt(of.length)];
        }

        private String string() {
            List<String> keywords = new ArrayList<>(List.of("\"type\":\"string\""));
            if (random.nextInt(3) == 0) {
                keywords.add("\"pattern\":\"" + pick(PATTERNS) + "\"");
            } else if (random.nextInt(3) == 0) {
                keywords.add("\"format\":\"" + pick(FORMATS) + "\"");
                return "{" + String.join(",", keywords) + "}";
            }
            if (random.nextBoolean()) {
                keywords.add("\"minLength\":" + random.nextInt(4));
            }
            if (random.nextBoolean()) {
                keywords.add("\"maxLength\":" + random.nextInt(4, 20));
            }
            return "{" + String.join(",", keywords) + "}";
        }

        private String number() {
            boolean whole = random.nextBoolean();
            List<String> keywords = new ArrayList<>(List.of("\"type\":\"" + (whole ? "integer" : "number") + "\""));
            double least = random.nextInt(-2_000, 2_000) / (random.nextBoolean() ? 1.0 : 8.0);
            if (random.nextBoolean()) {
                keywords.add("\"" + pick("minimum", "exclusiveMinimum") + "\":" + least);
            }
            if (random.nextBoolean()) {
                keywords.add("\"" + pick("maximum", "exclusiveMaximum") + "\":" + (least + random.nextInt(1, 3_000)));
            }
            if (random.nextInt(4) == 0) {
                keywords.add("\"multipleOf\":" + pick("2", "5", "10", whole ? "3" : "0.5"));
            }
            return "{" + String.join(",", keywords) + "}";
        }

        private String enumeration() {
            return pick(
                    "{\"enum\":[\"a\",\"b\\u00e9\",3,null]}",
                    "{\"const\":\"only\"}",
                    "{\"enum\":[1,2.5,-3e2]}",
                    "{\"const\":{\"a\":[true]}}",
                    "{\"type\":\"string\",\"enum\":[\"RED\",\"GREEN\",\"DARK BLUE\"]}");
        }

        private String object(int depth) {
            StringBuilder properties = new StringBuilder();
            StringBuilder required = new StringBuilder();
            int count = random.nextInt(4);
            for (int i = 0; i < count; i++) {
                String name = "p" + random.nextInt(3) + i;
                properties
                        .append(i > 0 ? "," : "")
                        .append("\"")
                        .append(name)
                        .append("\":")
                        .append(schema(depth + 1));
                if (random.nextBoolean()) {
                    required.append(required.isEmpty() ? "" : ",")
                            .append("\"")
                            .append(name)
                            .append("\"");
                }
            }
            String schema = "{\"type\":\"object\"";
            schema += count > 0 ? ",\"properties\":{" + properties + "}" : "";
            schema += required.isEmpty() ? "" : ",\"required\":[" + required + "]";
            return schema
                    + switch (random.nextInt(4)) {
                        case 0 -> ",\"additionalProperties\":" + number() + "}";
                        case 1 -> ",\"additionalProperties\":false}";
                        default -> "}";
                    };
        }

        private String array(int depth) {
            String schema = "{\"type\":\"array\"";
            if (random.nextInt(4) == 0) {
                schema += ",\"prefixItems\":[" + schema(depth + 1) + "," + schema(depth + 1) + "]";
                schema += random.nextBoolean() ? ",\"items\":false" : "";
            } else {
                schema += ",\"items\":" + schema(depth + 1);
            }
            schema += random.nextBoolean() ? ",\"minItems\":" + random.nextInt(3) : "";
            return schema + (random.nextBoolean() ? ",\"maxItems\":" + random.nextInt(2, 6) : "") + "}";
        }
    }

    @Test
    void everyAnswerUnderARandomSchemaIsValid() {
        long seed = System.nanoTime();
        SplittableRandom seeds = new SplittableRandom(seed);
        int compiled = 0;
        int whole = 0;
        int refused = 0;
        while (compiled < SCHEMAS) {
            long one = seeds.nextLong();
            Random random = new Random(one);
            String schema = new Generator(random).document();
            Grammar grammar;
            try {
                grammar = Grammar.jsonSchema(schema);
            } catch (GrammarException e) {
                // Chance makes contradictions too; those are counted, so that not everything is one
                refused++;
                continue;
            }
            compiled++;
            SchemaJudge judge = new SchemaJudge(schema);
            RandomAnswers answers = new RandomAnswers(new TestVocabulary(random, 700), random);
            TokenGrammar tokens = answers.over(grammar);
            for (int i = 0; i < ANSWERS; i++) {
                byte[] answer = answers.write(tokens, 200);
                if (answer != null) {
                    whole++;
                    String text = new String(answer, StandardCharsets.UTF_8);
                    assertThat(judge.errors(text))
                            .as("%s for %s, seeds %d and %d", text, schema, seed, one)
                            .isEmpty();
                }
            }
        }
        assertThat(refused).as("schemas that were refused, seed %d", seed).isLessThan(SCHEMAS / 5);
        assertThat(whole).as("answers that ended, seed %d", seed).isGreaterThan(SCHEMAS * ANSWERS / 2);
    }
}
