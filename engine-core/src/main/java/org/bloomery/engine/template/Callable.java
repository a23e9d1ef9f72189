package org.bloomery.engine.template;

import java.util.Map;

/**
 * A function, method, macro or joiner.
 *
 * @param typeName what Python calls its type
 * @param name what it is called, without untrusted text
 * @param attributes what can be read from it
 * @param body what a call does
 */
record Callable(String typeName, String name, Map<String, Value> attributes, Body body) implements Value {

    /** What a call does. */
    @FunctionalInterface
    interface Body {
        Value call(Interpreter interpreter, Arguments arguments);
    }

    static Callable function(String name, Body body) {
        return new Callable("builtin_function_or_method", name, Map.of(), body);
    }

    /** Identity, as Python compares functions. */
    @Override
    public boolean equals(@org.jspecify.annotations.Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
