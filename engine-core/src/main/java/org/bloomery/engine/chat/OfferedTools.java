package org.bloomery.engine.chat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * The tools that a model may call. Families that write arguments as bare text leave it to the tool's schema to say whether
 * {@code 2} is a number or a string.
 */
record OfferedTools(List<ToolSpec> tools) {

    /** An element of an array in a path; no argument has this name. */
    static final String ITEM = "[]";

    OfferedTools {
        tools = List.copyOf(tools);
    }

    boolean has(String name) {
        return tools.stream().anyMatch(tool -> tool.name().equals(name));
    }

    /** Writes an argument that came as bare text: JSON where the tool's schema has a type that is no string, else a string. */
    void writeArgument(String tool, String argument, String text, JsonGenerator json) {
        json.writeName(argument);
        writeValue(tool, List.of(argument), text, json);
    }

    /**
     * Writes a value that came as bare text, as an argument is.
     *
     * @param path the argument and the names of what is inside it; {@link #ITEM} where that is an element of an array
     */
    void writeValue(String tool, List<String> path, String text, JsonGenerator json) {
        Set<String> types = types(tool, path);
        if (!types.isEmpty() && !types.contains("string")) {
            // Templates that print values show models Python's words for these
            String value = switch (text.strip()) {
                case "True" -> "true";
                case "False" -> "false";
                case "None" -> "null";
                default -> text.strip();
            };
            if (JsonCalls.isValue(value)) {
                json.writeRawValue(value);
                return;
            }
        }
        json.writeString(text);
    }

    /** The JSON types that a value may have, none where the schema says nothing. */
    Set<String> types(String tool, List<String> path) {
        Set<String> types = new HashSet<>();
        for (ToolSpec offered : tools) {
            if (offered.name().equals(tool)) {
                try (JsonParser schema = JsonCalls.parser(offered.parameters())) {
                    boolean known = true;
                    for (String each : path) {
                        known = known
                                && (each.equals(ITEM)
                                        ? enter(schema, "items")
                                        : enter(schema, "properties") && enter(schema, each));
                    }
                    if (known) {
                        addTypes(schema, types);
                    }
                } catch (JacksonException e) {
                    // The prompt refuses such a schema; here it says nothing
                    types.clear();
                }
            }
        }
        return types;
    }

    /** Moves to the beginning of an object's property. */
    private static boolean enter(JsonParser schema, String property) {
        if (schema.currentToken() == null) {
            schema.nextToken();
        }
        if (schema.currentToken() != JsonToken.START_OBJECT) {
            return false;
        }
        while (schema.nextToken() == JsonToken.PROPERTY_NAME) {
            boolean found = property.equals(schema.currentName());
            schema.nextToken();
            if (found) {
                return true;
            }
            schema.skipChildren();
        }
        return false;
    }

    private static void addTypes(JsonParser schema, Set<String> types) {
        if (schema.currentToken() != JsonToken.START_OBJECT) {
            return;
        }
        while (schema.nextToken() == JsonToken.PROPERTY_NAME) {
            String key = schema.currentName();
            JsonToken token = schema.nextToken();
            switch (key) {
                case "type" -> {
                    if (token == JsonToken.VALUE_STRING) {
                        types.add(schema.getString());
                    } else if (token == JsonToken.START_ARRAY) {
                        while (schema.nextToken() == JsonToken.VALUE_STRING) {
                            types.add(schema.getString());
                        }
                    }
                }
                case "anyOf", "oneOf", "allOf" -> {
                    if (token == JsonToken.START_ARRAY) {
                        while (schema.nextToken() == JsonToken.START_OBJECT) {
                            addTypes(schema, types);
                        }
                    }
                }
                default -> schema.skipChildren();
            }
        }
    }
}
