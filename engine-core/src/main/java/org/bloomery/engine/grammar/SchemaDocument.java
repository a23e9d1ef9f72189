package org.bloomery.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.grammar.Facets.Place;
import org.jspecify.annotations.Nullable;

/** A schema's text: its places by path, anchor and reference, and errors that name them. */
final class SchemaDocument {

    private final Budget budget;
    private final Json root;
    private final IdentityHashMap<Json, Place> places = new IdentityHashMap<>();
    private final Map<String, Place> anchors = new HashMap<>();
    private final Map<String, CharDfa> texts = new HashMap<>();

    SchemaDocument(String schema, Budget budget) {
        this.budget = budget;
        root = Json.read(schema, budget);
        if (!(root instanceof Json.Obj || root instanceof Json.Bool)) {
            throw budget.refuse("is no schema; give a JSON object.");
        }
        index(root, "#");
    }

    Place root() {
        return place(root);
    }

    /** Gives every value its path. */
    private void index(Json node, String path) {
        budget.spend(20);
        places.put(node, new Place(places.size(), node, path));
        switch (node) {
            case Json.Obj object -> {
                for (String keyword : new String[] {"$anchor", "$dynamicAnchor"}) {
                    if (object.get(keyword) instanceof Json.Str name) {
                        anchors.put("#" + name.text(), place(node));
                    }
                }
                if (object.get("$id") instanceof Json.Str id) {
                    anchors.put(id.text(), place(node));
                }
                object.members().forEach((name, child) -> index(child, child(path, name)));
            }
            case Json.Arr array -> {
                for (int i = 0; i < array.items().size(); i++) {
                    index(array.items().get(i), path + "/" + i);
                }
            }
            default -> {}
        }
    }

    /** The strings that a {@code pattern} asks for. */
    CharDfa pattern(String pattern, String path) {
        return texts.computeIfAbsent(
                "pattern " + pattern,
                key -> Regex.within(pattern, budget.part("has a regular expression at " + path + " that")));
    }

    /** The strings that a {@code format} asks for, or null where it only annotates. */
    @Nullable
    CharDfa format(String format) {
        String pattern = Formats.pattern(format);
        return pattern == null
                ? null
                : texts.computeIfAbsent("format " + format, key -> Regex.matching(pattern, budget));
    }

    static String child(String path, String name) {
        String shown = name.length() > 64 ? name.substring(0, 64) + "…" : name;
        return path + "/" + shown.replace("~", "~0").replace("/", "~1");
    }

    Place place(Json node) {
        Place place = places.get(node);
        if (place == null) {
            throw new IllegalStateException("a node outside of the schema");
        }
        return place;
    }

    GrammarException unsupported(String keyword, Place at, String advice) {
        return budget.refuse("uses '" + keyword + "' at " + child(at.path(), keyword) + ", " + advice);
    }

    GrammarException wrong(String keyword, Place at, String expected) {
        return budget.refuse("has a '" + keyword + "' at " + child(at.path(), keyword) + " that is not " + expected
                + "; correct it.");
    }

    private Place resolve(String reference, Place at) {
        Place found = null;
        String local = reference;
        if (root instanceof Json.Obj object
                && object.get("$id") instanceof Json.Str id
                && !id.text().isEmpty()
                && local.startsWith(id.text())) {
            local = local.substring(id.text().length());
            local = local.isEmpty() ? "#" : local;
        }
        if (local.equals("#")) {
            found = place(root);
        } else if (local.startsWith("#/")) {
            found = pointer(local.substring(2));
        } else {
            found = anchors.get(local);
        }
        if (found == null) {
            throw unsupported(
                    "$ref", at, "which names nothing in this schema; put the referenced schema under '$defs'.");
        }
        return found;
    }

    private @Nullable Place pointer(String pointer) {
        Json at = root;
        for (String token : pointer.split("/", -1)) {
            String name = decode(token).replace("~1", "/").replace("~0", "~");
            Json next = switch (at) {
                case Json.Obj object -> object.get(name);
                case Json.Arr array ->
                    name.matches("[0-9]{1,6}")
                                    && Integer.parseInt(name) < array.items().size()
                            ? array.items().get(Integer.parseInt(name))
                            : null;
                default -> null;
            };
            if (next == null) {
                return null;
            }
            at = next;
        }
        return place(at);
    }

    private static String decode(String token) {
        if (token.indexOf('%') < 0) {
            return token;
        }
        byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
        int size = 0;
        for (int i = 0; i < bytes.length; i++) {
            int high = bytes[i] == '%' && i + 2 < bytes.length ? Character.digit(bytes[i + 1], 16) : -1;
            int low = high < 0 ? -1 : Character.digit(bytes[i + 2], 16);
            if (low >= 0) {
                bytes[size++] = (byte) (high << 4 | low);
                i += 2;
            } else {
                bytes[size++] = bytes[i];
            }
        }
        return new String(bytes, 0, size, StandardCharsets.UTF_8);
    }

    Place reference(Json.Obj schema, Place at) {
        if (schema.get("$ref") instanceof Json.Str reference) {
            return resolve(reference.text(), at);
        }
        throw wrong("$ref", at, "a string");
    }

    List<Place> schemas(Json.Obj schema, String keyword, Place at) {
        if (!(schema.get(keyword) instanceof Json.Arr array) || array.items().isEmpty()) {
            throw wrong(keyword, at, "a list of schemas");
        }
        List<Place> list = new ArrayList<>();
        for (Json item : array.items()) {
            list.add(schema(item, keyword, at));
        }
        return list;
    }

    Place schema(Json node, String keyword, Place at) {
        if (!(node instanceof Json.Obj || node instanceof Json.Bool)) {
            throw wrong(keyword, at, "made of schemas");
        }
        return place(node);
    }
}
