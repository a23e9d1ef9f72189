package org.bloomery.engine.template;

/** The bounds between brackets, as in {@code messages[1:]}; None where left out. */
record Slice(Value start, Value stop, Value step) implements Value {}
