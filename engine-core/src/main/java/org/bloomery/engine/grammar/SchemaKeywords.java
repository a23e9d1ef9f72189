package org.bloomery.engine.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bloomery.engine.grammar.Facets.Kind;
import org.bloomery.engine.grammar.Facets.Place;

/** The keywords of one schema object, merged into facets. */
final class SchemaKeywords {

    /** Keywords that say nothing about which values are valid. */
    static final Set<String> ANNOTATIONS = Set.of(
            "$schema",
            "$id",
            "$anchor",
            "$dynamicAnchor",
            "$comment",
            "$defs",
            "definitions",
            "$vocabulary",
            "title",
            "description",
            "default",
            "examples",
            "example",
            "deprecated",
            "readOnly",
            "writeOnly",
            "contentEncoding",
            "contentMediaType",
            "contentSchema");

    private static final Set<String> UNSUPPORTED = Set.of(
            "not",
            "if",
            "dependentRequired",
            "dependentSchemas",
            "dependencies",
            "contains",
            "minContains",
            "maxContains",
            "$dynamicRef",
            "$recursiveRef",
            "$recursiveAnchor",
            "disallow",
            "extends",
            "divisibleBy");

    private final Json.Obj schema;
    private final Place at;
    private final Facets into;
    private final SchemaDocument document;

    SchemaKeywords(Json.Obj schema, Place at, Facets into, SchemaDocument document) {
        this.schema = schema;
        this.at = at;
        this.into = into;
        this.document = document;
    }

    void merge() {
        for (Map.Entry<String, Json> entry : schema.members().entrySet()) {
            keyword(entry.getKey(), entry.getValue());
        }
        arrays();
        objects();
    }

    private void keyword(String keyword, Json value) {
        if (UNSUPPORTED.contains(keyword)) {
            throw document.unsupported(
                    keyword, at, "which is not supported; leave it out and check the answer instead.");
        }
        switch (keyword) {
            case "type" -> type(value);
            case "nullable" -> {
                if (!(value instanceof Json.Bool)) {
                    throw document.wrong(keyword, at, "true or false");
                }
            }
            case "enum" -> {
                if (!(value instanceof Json.Arr array)) {
                    throw document.wrong(keyword, at, "a list of values");
                }
                into.only(array.items());
            }
            case "const" -> into.only(List.of(value));
            case "minLength" -> {
                into.spokenOf.add(Kind.STRING);
                into.minLength = Math.max(into.minLength, count(keyword, value));
            }
            case "maxLength" -> {
                into.spokenOf.add(Kind.STRING);
                into.maxLength = Math.min(into.maxLength, count(keyword, value));
            }
            case "pattern" -> {
                into.spokenOf.add(Kind.STRING);
                into.texts.add(pattern(keyword, value));
            }
            case "format" -> format(value);
            case "minimum" -> bound(new NumberTexts.Bounds(number(keyword, value), false, null, false));
            case "maximum" -> bound(new NumberTexts.Bounds(null, false, number(keyword, value), false));
            case "exclusiveMinimum" -> bound(new NumberTexts.Bounds(number(keyword, value), true, null, false));
            case "exclusiveMaximum" -> bound(new NumberTexts.Bounds(null, false, number(keyword, value), true));
            case "multipleOf" -> {
                into.spokenOf.add(Kind.NUMBER);
                BigDecimal multiple = number(keyword, value);
                if (multiple.signum() <= 0) {
                    throw document.wrong(keyword, at, "greater than 0");
                }
                into.multiples.add(multiple);
            }
            case "minItems" -> {
                into.spokenOf.add(Kind.ARRAY);
                into.minItems = Math.max(into.minItems, count(keyword, value));
            }
            case "maxItems" -> {
                into.spokenOf.add(Kind.ARRAY);
                into.maxItems = Math.min(into.maxItems, count(keyword, value));
            }
            case "uniqueItems" -> {
                into.spokenOf.add(Kind.ARRAY);
                if (!value.equals(new Json.Bool(false))
                        && !(schema.get("maxItems") instanceof Json.Num most
                                && most.value().compareTo(BigDecimal.ONE) <= 0)) {
                    throw document.unsupported(
                            keyword, at, "which is not supported; leave it out and check the answer instead.");
                }
            }
            case "minProperties" -> {
                into.spokenOf.add(Kind.OBJECT);
                into.minProperties = Math.max(into.minProperties, count(keyword, value));
            }
            case "maxProperties" -> {
                into.spokenOf.add(Kind.OBJECT);
                into.maxProperties = Math.min(into.maxProperties, count(keyword, value));
            }
            case "required" -> {
                into.spokenOf.add(Kind.OBJECT);
                if (!(value instanceof Json.Arr array)) {
                    throw document.wrong(keyword, at, "a list of names");
                }
                for (Json name : array.items()) {
                    if (!(name instanceof Json.Str text)) {
                        throw document.wrong(keyword, at, "a list of names");
                    }
                    into.required.add(text.text());
                }
            }
            default -> {
                // Handled elsewhere, an annotation, or unknown to the standard
            }
        }
    }

    private void type(Json value) {
        List<Json> list = value instanceof Json.Arr array ? array.items() : List.of(value);
        EnumSet<Kind> kinds = EnumSet.noneOf(Kind.class);
        boolean integers = false;
        boolean numbers = false;
        for (Json each : list) {
            String name = each instanceof Json.Str text ? text.text() : "";
            switch (name) {
                case "object" -> kinds.add(Kind.OBJECT);
                case "array" -> kinds.add(Kind.ARRAY);
                case "string" -> kinds.add(Kind.STRING);
                case "number" -> numbers = true;
                case "integer" -> integers = true;
                case "boolean" -> kinds.add(Kind.BOOLEAN);
                case "null" -> kinds.add(Kind.NULL);
                default ->
                    throw document.wrong(
                            "type",
                            at,
                            "one of object, array, string, number, integer, boolean, null," + " or a list of them");
            }
        }
        if (integers || numbers) {
            kinds.add(Kind.NUMBER);
            into.integer |= !numbers;
        }
        if (new Json.Bool(true).equals(schema.get("nullable"))) {
            kinds.add(Kind.NULL);
        }
        into.typed = true;
        into.kinds.retainAll(kinds);
    }

    private void bound(NumberTexts.Bounds bounds) {
        into.spokenOf.add(Kind.NUMBER);
        into.bounds = into.bounds.and(bounds);
    }

    private void format(Json value) {
        if (!(value instanceof Json.Str format)) {
            throw document.wrong("format", at, "a string");
        }
        switch (format.text()) {
            case "int32" -> integers(Integer.MIN_VALUE, Integer.MAX_VALUE);
            case "int64" -> integers(Long.MIN_VALUE, Long.MAX_VALUE);
            default -> {
                CharDfa texts = document.format(format.text());
                if (texts != null) {
                    into.spokenOf.add(Kind.STRING);
                    into.texts.add(texts);
                }
            }
        }
    }

    private void integers(long least, long most) {
        into.bounds = into.bounds.and(
                new NumberTexts.Bounds(BigDecimal.valueOf(least), false, BigDecimal.valueOf(most), false));
    }

    private CharDfa pattern(String keyword, Json value) {
        if (!(value instanceof Json.Str text)) {
            throw document.wrong(keyword, at, "a string");
        }
        return document.pattern(text.text(), SchemaDocument.child(at.path(), keyword));
    }

    private int count(String keyword, Json value) {
        if (!(value instanceof Json.Num number)
                || number.value().signum() < 0
                || number.value().stripTrailingZeros().scale() > 0) {
            throw document.wrong(keyword, at, "a whole number of at least 0");
        }
        return number.value().min(BigDecimal.valueOf(Integer.MAX_VALUE)).intValue();
    }

    private BigDecimal number(String keyword, Json value) {
        if (!(value instanceof Json.Num number)) {
            throw document.wrong(keyword, at, "a number");
        }
        return number.value();
    }

    private void arrays() {
        List<Place> first = new ArrayList<>();
        Json rest = schema.get("items");
        String restKeyword = "items";
        if (schema.get("prefixItems") != null) {
            first = document.schemas(schema, "prefixItems", at);
        } else if (rest instanceof Json.Arr) {
            // Tuples as earlier drafts wrote them
            first = document.schemas(schema, "items", at);
            restKeyword = "additionalItems";
            rest = schema.get("additionalItems");
        }
        if (rest == null && schema.get("unevaluatedItems") != null) {
            restKeyword = "unevaluatedItems";
            rest = schema.get("unevaluatedItems");
        }
        if (first.isEmpty() && rest == null) {
            return;
        }
        into.spokenOf.add(Kind.ARRAY);
        List<Place> others = rest == null ? List.of() : List.of(document.schema(rest, restKeyword, at));
        int known = into.prefix.size();
        List<List<Place>> merged = new ArrayList<>();
        for (int i = 0; i < Math.max(known, first.size()); i++) {
            merged.add(Facets.both(
                    i < known ? into.prefix.get(i) : into.items, i < first.size() ? List.of(first.get(i)) : others));
        }
        into.prefix.clear();
        into.prefix.addAll(merged);
        List<Place> both = Facets.both(into.items, others);
        into.items.clear();
        into.items.addAll(both);
    }

    private void objects() {
        Map<String, Json> named = members("properties");
        Map<String, Json> patterns = members("patternProperties");
        Json rest = schema.get("additionalProperties");
        String restKeyword = "additionalProperties";
        if (rest == null && schema.get("unevaluatedProperties") != null) {
            restKeyword = "unevaluatedProperties";
            rest = schema.get("unevaluatedProperties");
            // False only closes what is closed anyway, unless properties are evaluated elsewhere
            if (rest.equals(new Json.Bool(false)) && !named.isEmpty()) {
                rest = null;
            }
            boolean composed = schema.get("allOf") != null
                    || schema.get("anyOf") != null
                    || schema.get("oneOf") != null
                    || schema.get("$ref") != null;
            if (rest != null && composed) {
                if (!rest.equals(new Json.Bool(false))) {
                    throw document.unsupported(restKeyword, at, "which is supported with the value false only.");
                }
                rest = null;
            }
        }
        Json allNames = schema.get("propertyNames");
        if (allNames != null) {
            into.spokenOf.add(Kind.OBJECT);
            into.names.add(document.schema(allNames, "propertyNames", at));
        }
        if (named.isEmpty() && patterns.isEmpty() && rest == null) {
            if (schema.get("properties") != null) {
                into.spokenOf.add(Kind.OBJECT);
            }
            return;
        }
        into.spokenOf.add(Kind.OBJECT);
        if (!into.patterns.isEmpty() || (!patterns.isEmpty() && into.additional != null)) {
            throw document.unsupported(
                    "patternProperties", at, "which is not supported beside other schemas for the same object.");
        }
        List<Place> others = rest == null ? null : List.of(document.schema(rest, restKeyword, at));
        Map<String, CharDfa> matchers = new LinkedHashMap<>();
        for (String pattern : patterns.keySet()) {
            matchers.put(
                    pattern,
                    document.pattern(
                            pattern,
                            SchemaDocument.child(SchemaDocument.child(at.path(), "patternProperties"), pattern)));
        }
        if (others != null) {
            into.properties.replaceAll((name, conjunction) -> named.containsKey(name) || matches(matchers, name)
                    ? conjunction
                    : Facets.both(conjunction, others));
        }
        for (Map.Entry<String, Json> each : named.entrySet()) {
            List<Place> own = List.of(document.schema(each.getValue(), "properties", at));
            List<Place> known = into.properties.get(each.getKey());
            into.properties.put(each.getKey(), Facets.both(known != null ? known : into.additional, own));
        }
        for (Map.Entry<String, Json> each : patterns.entrySet()) {
            List<Place> own = List.of(document.schema(each.getValue(), "patternProperties", at));
            CharDfa matcher = matchers.get(each.getKey());
            into.patterns.put(each.getKey(), own);
            if (matcher != null) {
                into.properties.replaceAll(
                        (name, conjunction) -> matcher.matches(name) ? Facets.both(conjunction, own) : conjunction);
            }
        }
        if (others != null) {
            into.additional = Facets.both(into.additional, others);
        }
    }

    private static boolean matches(Map<String, CharDfa> matchers, String name) {
        return matchers.values().stream().anyMatch(matcher -> matcher.matches(name));
    }

    private Map<String, Json> members(String keyword) {
        Json value = schema.get(keyword);
        if (value == null) {
            return Map.of();
        }
        if (!(value instanceof Json.Obj object)) {
            throw document.wrong(keyword, at, "an object of schemas");
        }
        return object.members();
    }
}
