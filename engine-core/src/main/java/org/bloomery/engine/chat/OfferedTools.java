package org.bloomery.engine.chat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bloomery.engine.grammar.GrammarException;
import org.bloomery.engine.grammar.PropertyTypes;
import tools.jackson.core.JsonGenerator;

/**
 * The tools that a model may call. Families that write arguments as bare text leave it to the tool's schema to say whether
 * {@code 2} is a number or a string. Not safe for use by several threads.
 */
final class OfferedTools {

    /** An element of an array in a path; no argument has this name. */
    static final String ITEM = PropertyTypes.ITEM;

    private final List<ToolSpec> tools;
    private final Map<String, Optional<PropertyTypes>> types = new HashMap<>();

    OfferedTools(List<ToolSpec> tools) {
        this.tools = List.copyOf(tools);
    }

    List<ToolSpec> tools() {
        return tools;
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
        Set<String> known = types(tool, path);
        if (!known.isEmpty() && !known.contains("string")) {
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
        return types.computeIfAbsent(tool, this::typesOf)
                .map(known -> known.of(path))
                .orElse(Set.of());
    }

    private Optional<PropertyTypes> typesOf(String name) {
        for (ToolSpec tool : tools) {
            if (tool.name().equals(name) && !tool.parameters().isBlank()) {
                try {
                    return Optional.of(PropertyTypes.of(tool.parameters()));
                } catch (GrammarException e) {
                    // No such tool is offered; here its schema says nothing
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }
}
