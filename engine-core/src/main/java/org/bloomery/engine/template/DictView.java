package org.bloomery.engine.template;

import java.util.ArrayList;
import java.util.List;

/** What a dict's keys(), values() or items() gives. */
record DictView(Dict dict, Kind kind) implements Value {

    /** Which view. */
    enum Kind {
        KEYS,
        VALUES,
        ITEMS
    }

    List<Value> items() {
        return switch (kind) {
            case KEYS -> new ArrayList<>(dict.entries().keySet());
            case VALUES -> new ArrayList<>(dict.entries().values());
            case ITEMS -> {
                List<Value> pairs = new ArrayList<>(dict.size());
                dict.entries().forEach((key, value) -> pairs.add(Seq.pair(key, value)));
                yield pairs;
            }
        };
    }
}
