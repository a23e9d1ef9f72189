package org.bloomery.engine.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;

/** A JSON document. */
sealed interface Json {

    /** Nesting of a schema's text: a schema within a schema takes two or three levels. */
    int MAX_NESTING = 256;

    /** Decimal places before and behind the point. */
    int MAX_SCALE = 400;

    JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_NESTING)
                    .maxNumberLength(1000)
                    .maxNameLength(100_000)
                    .maxStringLength(Budget.MAX_LENGTH)
                    .maxDocumentLength(Budget.MAX_LENGTH)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /** Characters that a JSON string cannot hold as they are. */
    CodePoints ESCAPED = CodePoints.range(0, 0x1F).or(CodePoints.of('"')).or(CodePoints.of('\\'));

    record Obj(Map<String, Json> members) implements Json {
        @Nullable
        Json get(String name) {
            return members.get(name);
        }
    }

    record Arr(List<Json> items) implements Json {}

    record Str(String text) implements Json {}

    /** @param text as the document spells it */
    record Num(String text, BigDecimal value) implements Json {}

    record Bool(boolean value) implements Json {}

    record Null() implements Json {}

    /** Reads a document; errors hold no part of it. */
    static Json read(String document, Budget budget) {
        if (document.length() > Budget.MAX_LENGTH) {
            throw budget.tooLarge("has more than " + Budget.MAX_LENGTH + " characters");
        }
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), document)) {
            if (parser.nextToken() == null) {
                throw budget.refuse("is empty; give a JSON object.");
            }
            Json value = value(parser, budget);
            if (parser.nextToken() != null) {
                throw budget.refuse("goes on behind its end at line "
                        + parser.currentLocation().getLineNr() + "; give one JSON object.");
            }
            return value;
        } catch (StreamConstraintsException e) {
            throw budget.tooLarge("nests deeper than " + MAX_NESTING + " levels, or has a very long name or number");
        } catch (JacksonException e) {
            var location = e.getLocation();
            throw budget.refuse("is not valid JSON"
                    + (location == null
                            ? ""
                            : " at line " + location.getLineNr() + ", column " + location.getColumnNr())
                    + "; correct it.");
        }
    }

    private static Json value(JsonParser parser, Budget budget) {
        budget.spend(20);
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                Map<String, Json> members = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    members.put(name, value(parser, budget));
                }
                yield new Obj(members);
            }
            case START_ARRAY -> {
                List<Json> items = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    items.add(value(parser, budget));
                }
                yield new Arr(items);
            }
            case VALUE_STRING -> new Str(parser.getString());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
                String text = parser.getString();
                BigDecimal number = new BigDecimal(text);
                if (Math.abs((long) number.scale()) > MAX_SCALE || number.precision() > MAX_SCALE) {
                    throw budget.tooLarge("has a number of more than " + MAX_SCALE + " decimal places");
                }
                yield new Num(text, number);
            }
            case VALUE_TRUE -> new Bool(true);
            case VALUE_FALSE -> new Bool(false);
            case VALUE_NULL -> new Null();
            default -> throw new IllegalStateException("unexpected JSON token " + parser.currentToken());
        };
    }

    /** A text that is the same for equal values, as JSON Schema means it: numbers by value, objects without order. */
    static String key(Json value) {
        return switch (value) {
            case Obj object ->
                object.members().entrySet().stream()
                        .sorted(Map.Entry.comparingByKey())
                        .map(member -> quote(member.getKey()) + ":" + key(member.getValue()))
                        .collect(Collectors.joining(",", "{", "}"));
            case Arr array -> array.items().stream().map(Json::key).collect(Collectors.joining(",", "[", "]"));
            case Num number ->
                number.value().signum() == 0
                        ? "0"
                        : number.value().stripTrailingZeros().toString();
            case Str string -> quote(string.text());
            case Bool bool -> bool.value() ? "true" : "false";
            case Null nothing -> "null";
        };
    }

    /** The document without white space, numbers as they were spelt. */
    static String write(Json value) {
        return switch (value) {
            case Obj object ->
                object.members().entrySet().stream()
                        .map(member -> quote(member.getKey()) + ":" + write(member.getValue()))
                        .collect(Collectors.joining(",", "{", "}"));
            case Arr array -> array.items().stream().map(Json::write).collect(Collectors.joining(",", "[", "]"));
            case Str string -> quote(string.text());
            case Num number -> number.text();
            case Bool bool -> bool.value() ? "true" : "false";
            case Null nothing -> "null";
        };
    }

    /** A string literal: short escapes where there are some, other characters as they are. */
    static String quote(String text) {
        StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
        text.codePoints().forEach(c -> {
            if (ESCAPED.contains(c)) {
                quoted.append(escape(c));
            } else {
                quoted.appendCodePoint(c);
            }
        });
        return quoted.append('"').toString();
    }

    /** How a string literal spells a character of {@link #ESCAPED}. */
    static String escape(int c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> "\\u00" + Character.forDigit(c >> 4, 16) + Character.forDigit(c & 15, 16);
        };
    }
}
