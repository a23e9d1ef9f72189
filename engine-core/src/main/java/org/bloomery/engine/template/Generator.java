package org.bloomery.engine.template;

import java.util.Iterator;

/** Values that come one by one and only once, such as the result of map and select. */
final class Generator implements Value {

    private final Iterator<Value> values;
    private final String typeName;
    private final int depth;

    /**
     * @param typeName what Python calls it
     * @param source what the values are computed from; generators over generators are bounded in depth
     */
    Generator(Iterator<Value> values, String typeName, Value source) {
        this.values = values;
        this.typeName = typeName;
        this.depth = source instanceof Generator generator ? generator.depth + 1 : 1;
        if (depth > Fuel.MAX_DEPTH) {
            throw new Failure("it nests generators deeper than " + Fuel.MAX_DEPTH);
        }
    }

    Iterator<Value> values() {
        return values;
    }

    String typeName() {
        return typeName;
    }
}
