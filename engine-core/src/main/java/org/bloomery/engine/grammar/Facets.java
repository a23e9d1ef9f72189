package org.bloomery.engine.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a conjunction of schemas without alternatives demands, by kind of value. Merged keyword by keyword while it is
 * collected, then only read.
 */
final class Facets {

    /** The kinds of JSON values. */
    enum Kind {
        OBJECT,
        ARRAY,
        STRING,
        NUMBER,
        BOOLEAN,
        NULL
    }

    /** A schema in the document, and where it stands. */
    record Place(int id, Json node, String path) {}

    final EnumSet<Kind> kinds;

    /** Whether some keyword names the kinds; otherwise those that keywords speak of are meant. */
    boolean typed;

    final EnumSet<Kind> spokenOf;
    boolean integer;

    /** The only values by {@link Json#key}, or null for any. */
    @Nullable
    Map<String, Json> values;

    final List<CharDfa> texts;
    int minLength;
    int maxLength = Integer.MAX_VALUE;

    NumberTexts.Bounds bounds = NumberTexts.Bounds.NONE;
    final List<BigDecimal> multiples;

    final List<List<Place>> prefix;

    /** Schemas of the items behind the prefix; any value where there are none. */
    final List<Place> items;

    int minItems;
    int maxItems = Integer.MAX_VALUE;

    final Map<String, List<Place>> properties;
    final Map<String, List<Place>> patterns;
    final Set<String> required;

    /** Schemas of other properties, or null where no schema speaks of them. */
    @Nullable
    List<Place> additional;

    final List<Place> names;
    int minProperties;
    int maxProperties = Integer.MAX_VALUE;

    Facets() {
        kinds = EnumSet.allOf(Kind.class);
        spokenOf = EnumSet.noneOf(Kind.class);
        texts = new ArrayList<>();
        multiples = new ArrayList<>();
        prefix = new ArrayList<>();
        items = new ArrayList<>();
        properties = new LinkedHashMap<>();
        patterns = new LinkedHashMap<>();
        required = new LinkedHashSet<>();
        names = new ArrayList<>();
    }

    /** A copy that can be narrowed on its own. */
    Facets(Facets other) {
        kinds = EnumSet.copyOf(other.kinds);
        typed = other.typed;
        spokenOf = EnumSet.copyOf(other.spokenOf);
        integer = other.integer;
        values = other.values;
        texts = new ArrayList<>(other.texts);
        minLength = other.minLength;
        maxLength = other.maxLength;
        bounds = other.bounds;
        multiples = new ArrayList<>(other.multiples);
        prefix = new ArrayList<>(other.prefix);
        items = new ArrayList<>(other.items);
        minItems = other.minItems;
        maxItems = other.maxItems;
        properties = new LinkedHashMap<>(other.properties);
        patterns = new LinkedHashMap<>(other.patterns);
        required = new LinkedHashSet<>(other.required);
        additional = other.additional;
        names = new ArrayList<>(other.names);
        minProperties = other.minProperties;
        maxProperties = other.maxProperties;
    }

    /** The kinds of values that are meant: those named, else those that keywords speak of, else all. */
    Set<Kind> meant() {
        return typed || spokenOf.isEmpty() ? kinds : spokenOf;
    }

    /** The kinds of values that are meant and valid. */
    EnumSet<Kind> meantKinds() {
        EnumSet<Kind> found = EnumSet.noneOf(Kind.class);
        Map<String, Json> only = values;
        if (only != null) {
            only.values().stream().filter(value -> valid(value, true)).forEach(value -> found.add(kind(value)));
        } else {
            found.addAll(meant());
            found.retainAll(kinds);
        }
        return found;
    }

    /** Keeps only these values. */
    void only(List<Json> allowed) {
        typed = true;
        Map<String, Json> both = new LinkedHashMap<>();
        for (Json value : allowed) {
            String key = Json.key(value);
            if (values == null || values.containsKey(key)) {
                both.putIfAbsent(key, value);
            }
        }
        values = both;
    }

    /**
     * Whether properties that no keyword names may appear in an answer. An object whose properties are listed has no others
     * unless the schema asks for them.
     */
    boolean open() {
        List<Place> other = additional;
        if (other == null) {
            return properties.isEmpty() && patterns.isEmpty() && required.isEmpty();
        }
        return other.stream().noneMatch(place -> place.node().equals(new Json.Bool(false)));
    }

    /** Whether the schema itself forbids a property. */
    boolean forbids(String name) {
        return !properties.containsKey(name)
                && patterns.isEmpty()
                && additional != null
                && additional.stream().anyMatch(place -> place.node().equals(new Json.Bool(false)));
    }

    /** The texts that strings may be. */
    CharDfa textsOf(Budget budget) {
        CharDfa all = CharDfa.ofLength(minLength, maxLength, budget);
        if (texts.isEmpty()) {
            return all;
        }
        CharDfa both = texts.getFirst();
        for (CharDfa each : texts.subList(1, texts.size())) {
            both = both.and(each, budget);
        }
        return minLength > 0 || maxLength < Integer.MAX_VALUE ? both.and(all, budget) : both;
    }

    /**
     * Whether a value of an enumeration satisfies the keywords beside it.
     *
     * @param otherwise the answer for objects and arrays whose members other keywords speak of
     */
    boolean valid(Json value, boolean otherwise) {
        if (values != null && !values.containsKey(Json.key(value))) {
            return false;
        }
        Kind kind = kind(value);
        if (!kinds.contains(kind)) {
            return false;
        }
        return switch (value) {
            case Json.Str string ->
                texts.stream().allMatch(texts -> texts.matches(string.text()))
                        && string.text().codePointCount(0, string.text().length()) >= minLength
                        && string.text().codePointCount(0, string.text().length()) <= maxLength;
            case Json.Num number ->
                bounds.contains(number.value())
                        && (!integer || number.value().stripTrailingZeros().scale() <= 0)
                        && multiples.stream()
                                .allMatch(each -> number.value().remainder(each).signum() == 0);
            case Json.Obj object -> !spokenOf.contains(Kind.OBJECT) || otherwise;
            case Json.Arr array -> !spokenOf.contains(Kind.ARRAY) || otherwise;
            default -> true;
        };
    }

    private static Kind kind(Json value) {
        return switch (value) {
            case Json.Obj object -> Kind.OBJECT;
            case Json.Arr array -> Kind.ARRAY;
            case Json.Str string -> Kind.STRING;
            case Json.Num number -> Kind.NUMBER;
            case Json.Bool bool -> Kind.BOOLEAN;
            case Json.Null nothing -> Kind.NULL;
        };
    }

    static List<Place> both(@Nullable List<Place> a, @Nullable List<Place> b) {
        List<Place> both = new ArrayList<>();
        if (a != null) {
            both.addAll(a);
        }
        if (b != null) {
            for (Place place : b) {
                if (!both.contains(place)) {
                    both.add(place);
                }
            }
        }
        return both;
    }
}
