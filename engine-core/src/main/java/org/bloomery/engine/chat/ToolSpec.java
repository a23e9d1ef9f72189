package org.bloomery.engine.chat;

/**
 * A tool offered to the model.
 *
 * @param name what the model calls it
 * @param description what it does, for the model to read
 * @param parameters JSON Schema of the arguments, a JSON object
 */
public record ToolSpec(String name, String description, String parameters) {

    /** Leaves out what the application tells the model. */
    @Override
    public String toString() {
        return "ToolSpec[" + name + "]";
    }
}
