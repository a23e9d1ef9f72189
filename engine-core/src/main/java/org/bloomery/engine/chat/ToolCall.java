package org.bloomery.engine.chat;

/**
 * A call the model asks for.
 *
 * @param id unique in the conversation; comes back in the tool's turn
 * @param name the tool's name
 * @param arguments a JSON object
 */
public record ToolCall(String id, String name, String arguments) {

    /** Leaves the arguments out: they may hold user data. */
    @Override
    public String toString() {
        return "ToolCall[" + id + ", " + name + "]";
    }
}
