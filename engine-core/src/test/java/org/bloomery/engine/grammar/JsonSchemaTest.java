package org.bloomery.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonSchemaTest {

    private static boolean matches(Grammar grammar, String text) {
        return grammar.matches(text.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean matches(String schema, String text) {
        return matches(Grammar.jsonSchema(schema), text);
    }

    /** Schemas as generators and people write them. */
    static String[] schemas() {
        return new String[] {
            // As Spring AI's generator writes a record
            """
            {"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{
              "age":{"type":"integer","format":"int32"},
              "born":{"type":"string","format":"date"},
              "id":{"type":"string","format":"uuid"},
              "tags":{"type":"array","items":{"type":"string"}},
              "kind":{"type":"string","enum":["A","B","C"]},
              "score":{"type":"number","format":"double"},
              "big":{"type":"integer","format":"int64"},
              "note":{"type":["string","null"]}},
             "required":["age","born","id","kind"],"additionalProperties":false}""",
            // Recursion by '#', and a list at the top
            """
            {"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#"},"maxItems":2},
              "name":{"type":"string","maxLength":8}},"required":["children","name"],"additionalProperties":false}""",
            """
            {"type":"array","items":{"$ref":"#/$defs/Point"},"minItems":1,"maxItems":4,
             "$defs":{"Point":{"type":"object","properties":{"x":{"type":"number"},"y":{"$ref":"#/$defs/Y"}},
              "required":["x","y"]},"Y":{"type":"integer","minimum":-5,"exclusiveMaximum":120}}}""",
            // Maps
            "{\"type\":\"object\"}",
            "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\",\"minimum\":0}}",
            """
            {"type":"object","properties":{"id":{"type":"string","format":"uuid"}},"required":["id","extra"],
             "additionalProperties":{"type":"boolean"},"minProperties":1,"maxProperties":4}""",
            "{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[a-z]{1,3}$\"},\"additionalProperties\":{\"type\":\"null\"}}",
            """
            {"type":"object","patternProperties":{"^x-":{"type":"string","maxLength":3},"^n-":{"type":"integer"}},
             "additionalProperties":false}""",
            // Tuples
            """
            {"type":"array","prefixItems":[{"type":"integer"},{"type":"string","maxLength":3},{"const":true}],
             "items":false,"minItems":2}""",
            "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"null\"}],\"items\":{\"type\":\"boolean\"},\"minItems\":3,\"maxItems\":5}",
            "{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1},\"minItems\":2,\"maxItems\":2}",
            // Alternatives
            """
            {"oneOf":[{"type":"object","properties":{"kind":{"const":"circle"},"radius":{"type":"number","exclusiveMinimum":0}},
              "required":["kind","radius"]},{"type":"object","properties":{"kind":{"const":"square"},"side":{"type":"number",
              "minimum":0.5,"maximum":2.25}},"required":["kind","side"]}]}""",
            "{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^a\"},{\"type\":\"integer\",\"multipleOf\":7},{\"type\":\"null\"}]}",
            """
            {"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},
              {"properties":{"b":{"type":"string","minLength":2},"a":{"minimum":3}},"required":["b"]}]}""",
            """
            {"type":"object","properties":{"value":{"anyOf":[{"type":"string"},{"type":"number"}],"maxLength":3,"maximum":10}},
             "required":["value"]}""",
            "{\"oneOf\":[{\"type\":\"string\",\"maxLength\":3},{\"type\":\"string\",\"minLength\":4},{\"type\":\"boolean\"}]}",
            // Enumerations of anything
            "{\"enum\":[1,\"one\",null,true,[1,2],{\"a\":1.50},\"quote\\\" \\\\ \\u0007 é\"]}",
            "{\"const\":{\"a\":[null]}}",
            "{\"type\":\"string\",\"enum\":[\"a\",\"bb\",\"ccc\"],\"minLength\":2}",
            // Strings
            "{\"type\":\"string\",\"minLength\":3,\"maxLength\":5}",
            "{\"type\":\"string\",\"pattern\":\"\\\\d{3}\",\"maxLength\":6}",
            "{\"type\":\"string\",\"pattern\":\"^\\\\S+@\\\\S+$\",\"maxLength\":20}",
            "{\"type\":\"string\",\"pattern\":\"^[\\\"\\\\\\\\\\n]+$\",\"maxLength\":4}",
            "{\"type\":\"string\",\"format\":\"date-time\"}",
            "{\"type\":\"string\",\"format\":\"duration\"}",
            "{\"type\":\"string\",\"format\":\"ipv4\"}",
            "{\"type\":\"string\",\"format\":\"ipv6\"}",
            "{\"type\":\"string\",\"format\":\"uri\"}",
            "{\"type\":\"string\",\"format\":\"uri-reference\"}",
            "{\"type\":\"string\",\"format\":\"hostname\"}",
            "{\"type\":\"string\",\"format\":\"uuid\"}",
            "{\"type\":\"string\",\"format\":\"no-such-format\"}",
            // Numbers
            "{\"type\":\"integer\"}",
            "{\"type\":\"number\"}",
            "{\"type\":\"integer\",\"minimum\":-120,\"maximum\":999}",
            "{\"type\":\"integer\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":11,\"multipleOf\":5}",
            "{\"type\":\"number\",\"minimum\":-0.25,\"exclusiveMaximum\":17.125}",
            "{\"type\":\"number\",\"multipleOf\":0.01,\"minimum\":0}",
            "{\"type\":\"number\",\"maximum\":-1e3}",
            "{\"type\":\"integer\",\"minimum\":1000000000000}",
            "{\"type\":\"number\",\"exclusiveMinimum\":0}",
            // Hardly anything, and everything
            "{}",
            "true",
            "{\"description\":\"anything\",\"x-order\":3}",
            "{\"type\":[\"object\",\"array\",\"boolean\"],\"maxItems\":1}",
            "{\"$ref\":\"#/definitions/a~1b%25\",\"definitions\":{\"a/b%\":{\"type\":\"boolean\"}}}",
            "{\"$ref\":\"#tag\",\"$defs\":{\"t\":{\"$anchor\":\"tag\",\"type\":\"null\"}}}",
        };
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void everyAnswerIsValid(String schema) {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        RandomAnswers answers = new RandomAnswers(new TestVocabulary(random, 2_000), random);
        TokenGrammar grammar = answers.over(Grammar.jsonSchema(schema));
        SchemaJudge judge = new SchemaJudge(schema);
        int whole = 0;
        for (int i = 0; i < 100; i++) {
            byte[] answer = answers.write(grammar, 150);
            if (answer != null) {
                whole++;
                String text = new String(answer, StandardCharsets.UTF_8);
                assertThat(judge.errors(text)).as("%s, seed %d", text, seed).isEmpty();
            }
        }
        assertThat(whole).as("answers that ended, seed %d", seed).isGreaterThan(50);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{}}} | {} | {\"b\":1,\"a\":2}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{}}} | {\"a\":1,\"b\":[{}]} | {\"a\":1.5}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{}}} | {\"b\": null} | {\"c\":1}",
                "{\"type\":\"object\"} | {\"any\": {\"thing\": [1, \"x\", null]}} | []",
                "{\"type\":\"array\",\"items\":{\"type\":\"string\"}} | [] | [1]",
                "{\"type\":\"string\"} | \"\\u00e9\\ud83d\\ude00\\n/\" | \"\\ud83d\"",
                "{\"type\":\"string\",\"pattern\":\"b\"} | \"abc\" | \"ac\"",
                "{\"type\":\"string\",\"minLength\":2} | \"\\u00e9é\" | \"é\"",
                "{\"type\":\"integer\",\"minimum\":-3,\"maximum\":12} | -3 | -4",
                "{\"type\":\"integer\",\"minimum\":-3,\"maximum\":12} | 12 | 13",
                "{\"type\":\"integer\",\"minimum\":-3,\"maximum\":12} | 0 | 012",
                "{\"type\":\"number\",\"minimum\":0.5} | 0.5 | 0.49",
                "{\"type\":\"number\",\"minimum\":0.5} | 123456.75 | -1",
                "{\"type\":\"number\"} | -12.5e3 | 1.",
                "{\"type\":\"number\"} | 0 | 01",
                "{\"type\":[\"string\",\"null\"]} | null | 1",
                "{\"type\":\"string\",\"nullable\":true} | null | 1",
                "{\"type\":\"string\",\"format\":\"date\"} | \"2024-02-29\" | \"2023-02-29\"",
                "{\"type\":\"string\",\"format\":\"date-time\"} | \"2024-02-29T23:59:59Z\" | \"2024-02-29 23:59:59Z\"",
                "{\"type\":\"string\",\"format\":\"email\"} | \"a.b+c@example.org\" | \"a.b.example.org\"",
                "{\"type\":\"string\",\"format\":\"time\"} | \"23:59:59.5\" | \"24:00:00\"",
                "{\"items\":[{\"type\":\"integer\"}],\"type\":\"array\"} | [1,\"more\"] | [\"x\"]",
            })
    void acceptsAndRefusesDocuments(String schema, String accepted, String refused) {
        Grammar grammar = Grammar.jsonSchema(schema);
        assertThat(matches(grammar, accepted)).as(accepted).isTrue();
        assertThat(matches(grammar, refused)).as(refused).isFalse();
    }

    @Test
    void whiteSpaceIsBounded() {
        String schema = "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}";
        assertThat(matches(schema, "[\n  true,\n  false\n]")).isTrue();
        assertThat(matches(schema, "[ true, false ]")).isTrue();
        assertThat(matches(schema, "[true,false]")).isTrue();
        assertThat(matches(schema, "[true,  false]")).isFalse();
        assertThat(matches(schema, "[true,\n\nfalse]")).isFalse();
        assertThat(matches(schema, " [true]")).isFalse();
        assertThat(matches(schema, "[true]\n")).isFalse();
    }

    @Test
    void boundsOfNumbersAreExact() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 60; i++) {
            int a = random.nextInt(-1_200, 1_200);
            int b = a + random.nextInt(150);
            boolean whole = random.nextBoolean();
            boolean excluded = random.nextBoolean();
            String schema = "{\"type\":\"" + (whole ? "integer" : "number") + "\",\""
                    + (excluded ? "exclusiveMinimum" : "minimum") + "\":" + a / 10.0 + ",\"maximum\":" + b / 10.0 + "}";
            SchemaJudge judge = new SchemaJudge(schema);
            Grammar grammar;
            try {
                grammar = Grammar.jsonSchema(schema);
            } catch (GrammarException e) {
                // Nothing within: then no whole number, and no tenth, is valid
                for (int n = -1_300; n <= 1_400; n++) {
                    String text = whole ? Integer.toString(n) : Double.toString(n / 10.0);
                    assertThat(judge.errors(text))
                            .as("%s for %s, seed %d", text, schema, seed)
                            .isNotEmpty();
                }
                continue;
            }
            for (int n = -1_300; n <= 1_400; n++) {
                String text = whole ? Integer.toString(n / 10) : Double.toString(n / 10.0);
                assertThat(matches(grammar, text))
                        .as("%s for %s, seed %d", text, schema, seed)
                        .isEqualTo(judge.errors(text).isEmpty());
            }
        }
    }

    @Test
    void multiplesAreExact() {
        for (String unit : new String[] {"3", "0.25", "12", "0.1"}) {
            String schema = "{\"type\":\"number\",\"multipleOf\":" + unit + "}";
            SchemaJudge judge = new SchemaJudge(schema);
            Grammar grammar = Grammar.jsonSchema(schema);
            for (int n = -300; n <= 300; n++) {
                String text = new BigDecimal(n).movePointLeft(2).toString();
                boolean valid = judge.errors(text).isEmpty();
                String shortest =
                        new BigDecimal(n).movePointLeft(2).stripTrailingZeros().toPlainString();
                assertThat(matches(grammar, shortest))
                        .as("%s of %s", shortest, unit)
                        .isEqualTo(valid);
                assertThat(valid || !matches(grammar, text))
                        .as("%s of %s", text, unit)
                        .isTrue();
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"type\":\"object\",\"properties\":{\"a\":{\"not\":{}}}} | 'not' at #/properties/a/not",
                "{\"if\":{},\"then\":{}} | 'if' at #/if",
                "{\"items\":{\"uniqueItems\":true}} | 'uniqueItems' at #/items/uniqueItems",
                "{\"dependentRequired\":{}} | #/dependentRequired",
                "{\"contains\":{}} | #/contains",
                "{\"$ref\":\"https://example.org/other.json\"} | names nothing",
                "{\"$ref\":\"#/$defs/none\"} | '$ref' at #/$ref",
                "{\"type\":\"text\"} | 'type' at #/type",
                "{\"enum\":3} | 'enum' at #/enum",
                "{\"minLength\":-1} | #/minLength",
                "{\"properties\":[]} | #/properties",
                "{\"properties\":{\"a\":3}} | properties",
                "{\"pattern\":\"(?=a)\"} | #/pattern",
                "{\"properties\":{\"a/b\":{\"pattern\":\"a\\\\b\"}}} | #/properties/a~1b/pattern",
                "{\"type\":\"number\",\"multipleOf\":0} | #/multipleOf",
                "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]} | 'oneOf' at #/oneOf",
                "{\"type\":\"integer\",\"minimum\":3,\"maximum\":2} | no answer",
                "{\"allOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]} | no answer",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]} | no answer",
                "{\"$ref\":\"#\"} | itself",
                "{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]} | itself",
                "false | no answer",
                "[] | schema",
                "3 | schema",
                "{\"type\":\"object\" | JSON",
                "{\"a\":1,\"a\":2} | JSON",
            })
    void refusesByKeywordAndPath(String schema, String named) {
        assertThatThrownBy(() -> Grammar.jsonSchema(schema))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining(named);
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 1_000, 10_000, 100_000})
    void refusesDeepNesting(int depth) {
        for (String[] around : new String[][] {
            {"{\"items\":", "{}", "}"},
            {"{\"allOf\":[", "{}", "]}"},
            {"{\"properties\":{\"a\":", "{}", "}}"},
            {"[", "", "]"},
            {"{\"enum\":[", "1", "]}"}
        }) {
            String schema = around[0].repeat(depth) + around[1] + around[2].repeat(depth);
            assertThatThrownBy(() -> Grammar.jsonSchema(schema)).isInstanceOf(GrammarException.class);
        }
    }

    static String[] hostileSchemas() {
        String doubling = IntStream.range(0, 40)
                .mapToObj(i -> "\"d" + i + "\":{\"allOf\":[{\"$ref\":\"#/$defs/d" + (i + 1)
                        + "\"},{\"$ref\":\"#/$defs/d" + (i + 1) + "\"}]}")
                .collect(Collectors.joining(
                        ",", "{\"$ref\":\"#/$defs/d0\",\"$defs\":{", ",\"d40\":{\"type\":\"null\"}}}"));
        String alternatives = IntStream.range(0, 12)
                .mapToObj(i ->
                        "{\"anyOf\":[{\"minLength\":" + i + "},{\"maxLength\":" + (90 - i) + "},{\"type\":\"null\"}]}")
                .collect(Collectors.joining(",", "{\"allOf\":[", "]}"));
        String patterns = IntStream.range(0, 12)
                .mapToObj(i -> "{\"pattern\":\"" + (char) ('a' + i) + ".{" + (5 + i) + "}z\"}")
                .collect(Collectors.joining(",", "{\"type\":\"string\",\"allOf\":[", "]}"));
        String manyProperties = IntStream.range(0, 40_000)
                .mapToObj(i -> "\"p" + i + "\":{}")
                .collect(Collectors.joining(",", "{\"type\":\"object\",\"properties\":{", "}}"));
        String overlap = IntStream.range(0, 300)
                .mapToObj(
                        i -> "{\"type\":\"object\",\"properties\":{\"k\":{\"const\":" + i + "}},\"required\":[\"k\"]}")
                .collect(Collectors.joining(",", "{\"oneOf\":[", "]}"));
        String values = IntStream.range(0, 40_000)
                .mapToObj(i -> "\"value" + i * 7_919 + "\"")
                .collect(Collectors.joining(",", "{\"enum\":[", "]}"));
        return new String[] {
            values,
            doubling,
            alternatives,
            patterns,
            manyProperties,
            overlap,
            "{\"type\":\"string\",\"pattern\":\"(x{1000}){1000}\"}",
            "{\"type\":\"string\",\"pattern\":\"^(a|a?)+$\",\"minLength\":100000}",
            "{\"type\":\"string\",\"pattern\":\"(a|b)*a(a|b){40}\"}",
            "{\"type\":\"integer\",\"minimum\":1e399,\"maximum\":2e399,\"multipleOf\":1999}",
            "{\"type\":\"integer\",\"minimum\":1e999999999}",
            "{\"type\":\"number\",\"minimum\":" + "9".repeat(900) + "}",
            "{\"type\":\"number\",\"multipleOf\":1e-300}"
        };
    }

    @ParameterizedTest
    @MethodSource("hostileSchemas")
    void refusesWhatWouldTakeTooMuch(String schema) {
        assertThatThrownBy(() -> Grammar.jsonSchema(schema)).isInstanceOf(GrammarException.class);
    }

    @Test
    void countsOfTheSchemaAreCheapHoweverLarge() {
        Grammar grammar = Grammar.jsonSchema(
                "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":1000000},\"maxItems\":1000000000}");
        assertThat(grammar.states()).isLessThan(500);
        assertThat(matches(grammar, "[\"a\",\"b\"]")).isTrue();
    }

    @Test
    void refusesBrokenJsonWithoutRepeatingIt() {
        assertThatThrownBy(() -> Grammar.jsonSchema("{\"type\": secret-word}"))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("line 1")
                .hasMessageNotContaining("secret");
    }
}
