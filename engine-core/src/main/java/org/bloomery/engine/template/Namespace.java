package org.bloomery.engine.template;

import java.util.LinkedHashMap;
import java.util.Map;

/** The only value that a template can change: {@code namespace(…)}. */
final class Namespace implements Value {

    private final Map<String, Value> attributes = new LinkedHashMap<>();

    Map<String, Value> attributes() {
        return attributes;
    }
}
