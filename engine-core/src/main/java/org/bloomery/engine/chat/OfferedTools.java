package org.bloomery.engine.chat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bloomery.engine.grammar.GrammarException;
import org.bloomery.engine.grammar.PropertyTypes;
import tools.jackson.core.JsonGenerator;

/**
 * The tools that a model may call. Families that write arguments as bare text leave it to the tool's schema to say whether
 * {@code 2} is a number or a string. Not safe for use by several threads.
 */
final class OfferedTools {

    private final List<ToolSpec> tools;
    private final Map<String, Optional<PropertyTypes>> types = new HashMap<>();

    OfferedTools(List<ToolSpec> tools) {
        this.tools = List.copyOf(tools);
    }

    boolean has(String name) {
        return tools.stream().anyMatch(tool -> tool.name().equals(name));
    }

    /** Writes an argument that came as bare text: JSON where the tool's schema says that it is no string, else a string. */
    void writeArgument(String tool, String argument, String text, JsonGenerator json) {
        json.writeName(argument);
        if (!isText(tool, argument)) {
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

    private boolean isText(String tool, String argument) {
        return types.computeIfAbsent(tool, this::types)
                .map(types -> types.isText(argument))
                .orElse(true);
    }

    private Optional<PropertyTypes> types(String name) {
        for (ToolSpec tool : tools) {
            if (tool.name().equals(name)) {
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
