package org.bloomery.engine.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;

/** JSON in and out of templates, as Python's json module reads and writes it. */
final class Json {

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(Fuel.MAX_DEPTH - 1)
                    .maxNumberLength(4300)
                    .maxNameLength(1 << 20)
                    .maxStringLength(256 << 20)
                    .maxDocumentLength(1L << 30)
                    .build())
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    private Json() {}

    /** Reads a document; every string in it is untrusted. */
    static Value parse(String document) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), document)) {
            parser.nextToken();
            Value value = value(parser);
            if (parser.nextToken() != null) {
                throw new TemplateException("The JSON document goes on behind its end at line "
                        + parser.currentLocation().getLineNr() + "; give one value.");
            }
            return value;
        } catch (JacksonException e) {
            // The original message may quote the document
            var location = e.getLocation();
            throw new TemplateException("The JSON document is not valid"
                    + (location == null
                            ? ""
                            : " at line " + location.getLineNr() + ", column " + location.getColumnNr())
                    + "; give JSON nested at most " + (Fuel.MAX_DEPTH - 1) + " deep.");
        }
    }

    private static Value value(JsonParser parser) {
        JsonToken token = parser.currentToken();
        if (token == null) {
            throw new TemplateException("The JSON document is empty; give a value.");
        }
        return switch (token) {
            case START_OBJECT -> {
                LinkedHashMap<Value, Value> entries = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    Value key = Text.untrusted(parser.currentName());
                    parser.nextToken();
                    entries.put(key, value(parser));
                }
                yield new Dict(entries);
            }
            case START_ARRAY -> {
                List<Value> items = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    items.add(value(parser));
                }
                yield Seq.list(items);
            }
            case VALUE_STRING -> Text.untrusted(parser.getString());
            case VALUE_NUMBER_INT -> {
                BigInteger number = parser.getBigIntegerValue();
                yield new Int(number);
            }
            case VALUE_NUMBER_FLOAT -> new Real(parser.getDoubleValue());
            case VALUE_TRUE -> Bool.TRUE;
            case VALUE_FALSE -> Bool.FALSE;
            case VALUE_NULL -> None.NONE;
            default -> throw new IllegalStateException("unexpected JSON token " + token);
        };
    }

    /** json.dumps; the result is trusted only where every string in the value is. */
    static Text write(
            Value value,
            boolean ascii,
            @org.jspecify.annotations.Nullable Text indent,
            Text itemSeparator,
            Text keySeparator,
            boolean sortKeys,
            Fuel fuel) {
        Writer writer = new Writer(ascii, indent, itemSeparator, keySeparator, sortKeys, fuel);
        writer.append(value, 0);
        return Text.of(writer.out.toString(), writer.trusted);
    }

    /** Writes one document. */
    private static final class Writer {

        private final boolean ascii;
        private final @org.jspecify.annotations.Nullable Text indent;
        private final Text itemSeparator;
        private final Text keySeparator;
        private final boolean sortKeys;
        private final Fuel fuel;
        private final StringBuilder out = new StringBuilder();
        private boolean trusted;

        Writer(
                boolean ascii,
                @org.jspecify.annotations.Nullable Text indent,
                Text itemSeparator,
                Text keySeparator,
                boolean sortKeys,
                Fuel fuel) {
            this.ascii = ascii;
            this.indent = indent;
            this.itemSeparator = itemSeparator;
            this.keySeparator = keySeparator;
            this.sortKeys = sortKeys;
            this.fuel = fuel;
            this.trusted = itemSeparator.trusted()
                    && keySeparator.trusted()
                    && (indent == null || indent.isEmpty() || indent.trusted());
        }

        void append(Value value, int level) {
            fuel.work(8);
            fuel.checkText(out.length());
            switch (value) {
                case Text text -> string(text);
                case Seq seq -> {
                    if (seq.size() == 0) {
                        out.append("[]");
                        return;
                    }
                    out.append('[');
                    boolean first = true;
                    for (Value item : seq.items()) {
                        separate(first, level + 1);
                        append(item, level + 1);
                        first = false;
                    }
                    newLine(level);
                    out.append(']');
                }
                case Dict dict -> object(dict, level);
                default -> out.append(scalar(value));
            }
        }

        private void object(Dict dict, int level) {
            if (dict.size() == 0) {
                out.append("{}");
                return;
            }
            List<Map.Entry<Value, Value>> entries =
                    new ArrayList<>(dict.entries().entrySet());
            if (sortKeys) {
                Filters.sort(entries, (a, b) -> Python.compare(a.getKey(), b.getKey(), "<", fuel), fuel);
            }
            out.append('{');
            boolean first = true;
            for (Map.Entry<Value, Value> entry : entries) {
                separate(first, level + 1);
                switch (entry.getKey()) {
                    case Text text -> string(text);
                    case Seq tuple -> throw new Failure("keys must be str, int, float, bool or None, not tuple");
                    case Value key -> out.append('"').append(scalar(key)).append('"');
                }
                out.append(keySeparator.chars());
                append(entry.getValue(), level + 1);
                first = false;
            }
            newLine(level);
            out.append('}');
        }

        private void separate(boolean first, int level) {
            if (!first) {
                out.append(itemSeparator.chars());
            }
            newLine(level);
        }

        private void newLine(int level) {
            if (indent != null) {
                out.append('\n');
                for (int i = 0; i < level; i++) {
                    fuel.checkText((long) out.length() + indent.length());
                    fuel.work(indent.length());
                    out.append(indent.chars());
                }
            }
        }

        private static String scalar(Value value) {
            return switch (value) {
                case None none -> "null";
                case Bool truth -> truth.value() ? "true" : "false";
                case Int number -> number.value().toString();
                case Real number -> {
                    String special = Numbers.special(number.value());
                    yield special == null
                            ? Numbers.repr(number.value())
                            : special.equals("nan") ? "NaN" : special.equals("inf") ? "Infinity" : "-Infinity";
                }
                default -> throw new Failure("Object of type " + Python.typeName(value) + " is not JSON serializable");
            };
        }

        private void string(Text text) {
            fuel.work(text.length());
            fuel.checkText((long) out.length() + text.length());
            trusted &= text.isEmpty() || text.trusted();
            String chars = text.chars();
            out.append('"');
            for (int i = 0; i < chars.length(); i++) {
                char c = chars.charAt(i);
                switch (c) {
                    case '"' -> out.append("\\\"");
                    case '\\' -> out.append("\\\\");
                    case '\n' -> out.append("\\n");
                    case '\r' -> out.append("\\r");
                    case '\t' -> out.append("\\t");
                    case '\b' -> out.append("\\b");
                    case '\f' -> out.append("\\f");
                    default -> {
                        if (c < 0x20 || (ascii && c > 126)) {
                            out.append("\\u");
                            for (int shift = 12; shift >= 0; shift -= 4) {
                                out.append(Character.forDigit(c >> shift & 15, 16));
                            }
                        } else {
                            out.append(c);
                        }
                    }
                }
            }
            out.append('"');
        }
    }
}
