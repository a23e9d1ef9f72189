package org.bloomery.engine.grammar;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.grammar.Facets.Kind;
import org.bloomery.engine.grammar.Facets.Place;

/**
 * Multiplies a conjunction of schemas out to alternatives: facets of which a value must satisfy one. Alternatives of {@code
 * oneOf} must exclude each other, which is decided on what is written for one and valid for another.
 */
final class SchemaAlternatives {

    private static final int MAX_ALTERNATIVES = 256;

    private final SchemaDocument document;
    private final Budget budget;
    private final Map<List<Integer>, List<Facets>> expanded = new HashMap<>();

    SchemaAlternatives(SchemaDocument document, Budget budget) {
        this.document = document;
        this.budget = budget;
    }

    /** The alternatives of a conjunction, none where nothing satisfies it; only to be read. */
    List<Facets> expand(List<Place> conjunction) {
        List<Integer> key = key(conjunction);
        List<Facets> known = expanded.get(key);
        if (known == null) {
            known = expandAnew(conjunction);
            expanded.put(key, known);
        }
        budget.spend(10);
        return known;
    }

    /** Names a conjunction. */
    static List<Integer> key(List<Place> conjunction) {
        return conjunction.stream().map(Place::id).distinct().sorted().toList();
    }

    private List<Facets> expandAnew(List<Place> conjunction) {
        List<Facets> merged = List.of(new Facets());
        for (Place place : conjunction) {
            merged = expand(place, merged, 0);
        }
        return merged;
    }

    /** Each of the given facets narrowed by a schema; several where the schema has alternatives. */
    private List<Facets> expand(Place place, List<Facets> given, int depth) {
        if (depth > Budget.MAX_DEPTH) {
            throw budget.refuse(
                    "refers at " + place.path() + " to itself without end, or nests alternatives deeper than "
                            + Budget.MAX_DEPTH + "; simplify it.");
        }
        budget.spend(200L * given.size());
        if (place.node() instanceof Json.Bool all) {
            return all.value() ? given : List.of();
        }
        if (!(place.node() instanceof Json.Obj schema)) {
            throw budget.refuse("has something else than a schema at " + place.path() + "; put an object there.");
        }
        List<Facets> merged = new ArrayList<>();
        for (Facets facets : given) {
            Facets copy = new Facets(facets);
            new SchemaKeywords(schema, place, copy, document).merge();
            merged.add(copy);
        }
        if (schema.get("$ref") != null) {
            merged = expand(document.reference(schema, place), merged, depth + 1);
        }
        if (schema.get("allOf") != null) {
            for (Place part : document.schemas(schema, "allOf", place)) {
                merged = expand(part, merged, depth + 1);
            }
        }
        if (schema.get("anyOf") != null) {
            List<Facets> all = new ArrayList<>();
            for (Place option : document.schemas(schema, "anyOf", place)) {
                all.addAll(expand(option, merged, depth + 1));
                limit(all, place);
            }
            merged = all;
        }
        if (schema.get("oneOf") != null) {
            List<Facets> all = new ArrayList<>();
            List<List<Facets>> options = new ArrayList<>();
            for (Place option : document.schemas(schema, "oneOf", place)) {
                List<Facets> expanded = expand(option, merged, depth + 1);
                options.add(expanded);
                all.addAll(expanded);
                limit(all, place);
            }
            requireDisjoint(options, place);
            merged = all;
        }
        return merged;
    }

    private void limit(List<Facets> alternatives, Place at) {
        if (alternatives.size() > MAX_ALTERNATIVES) {
            throw budget.refuse("combines more than " + MAX_ALTERNATIVES + " alternatives at " + at.path()
                    + "; use fewer 'anyOf' and 'oneOf' side by side.");
        }
    }

    /** Refuses alternatives of which one answer could satisfy two. */
    void requireDisjoint(List<List<Facets>> options, Place at) {
        for (int i = 0; i < options.size(); i++) {
            for (int j = i + 1; j < options.size(); j++) {
                for (Facets one : options.get(i)) {
                    for (Facets other : options.get(j)) {
                        if (!disjoint(one, other, 0)) {
                            throw document.unsupported(
                                    "oneOf",
                                    at,
                                    "whose alternatives " + i + " and " + j + " do not certainly exclude each other;"
                                            + " use 'anyOf', or give each a property with a 'const' of its own.");
                        }
                    }
                }
            }
        }
    }

    /** Whether no answer to one is valid for the other; false where that is not certain. */
    private boolean disjoint(Facets one, Facets other, int depth) {
        budget.spend(100);
        if (one.values != null || other.values != null) {
            return noneValid(one, other) || noneValid(other, one);
        }
        EnumSet<Kind> shared = EnumSet.noneOf(Kind.class);
        shared.addAll(one.meant());
        // What is valid may be of any kind that is not excluded by name
        shared.retainAll(other.kinds);
        EnumSet<Kind> back = EnumSet.noneOf(Kind.class);
        back.addAll(other.meant());
        back.retainAll(one.kinds);
        shared.addAll(back);
        for (Kind kind : shared) {
            boolean apart = switch (kind) {
                case NULL, BOOLEAN -> false;
                case NUMBER -> one.bounds.and(other.bounds).isEmpty();
                case STRING ->
                    one.minLength > other.maxLength
                            || other.minLength > one.maxLength
                            || (!one.texts.isEmpty()
                                    && !other.texts.isEmpty()
                                    && one.textsOf(budget)
                                            .and(other.textsOf(budget), budget)
                                            .isEmpty());
                case ARRAY -> one.minItems > other.maxItems || other.minItems > one.maxItems;
                case OBJECT -> objectsApart(one, other, depth) && objectsApart(other, one, depth);
            };
            if (!apart) {
                return false;
            }
        }
        return true;
    }

    private boolean noneValid(Facets values, Facets other) {
        if (values.values == null) {
            return false;
        }
        budget.spend(4L * values.values.size());
        return values.values.values().stream()
                .allMatch(value -> !values.valid(value, true) || !other.valid(value, true));
    }

    /** Whether no object that is written for {@code one} is valid for {@code other}. */
    private boolean objectsApart(Facets one, Facets other, int depth) {
        for (String name : other.required) {
            if (!one.open()
                    && one.patterns.isEmpty()
                    && !one.properties.containsKey(name)
                    && !one.required.contains(name)) {
                return true;
            }
        }
        for (String name : one.required) {
            if (other.forbids(name)) {
                return true;
            }
            List<Place> mine = one.properties.get(name);
            List<Place> theirs = other.properties.get(name);
            if (mine != null && theirs != null && depth < 4 && apart(mine, theirs, depth + 1)) {
                return true;
            }
        }
        return false;
    }

    private boolean apart(List<Place> mine, List<Place> theirs, int depth) {
        List<Facets> others = expand(theirs);
        for (Facets one : expand(mine)) {
            for (Facets other : others) {
                if (!disjoint(one, other, depth)) {
                    return false;
                }
            }
        }
        return true;
    }
}
