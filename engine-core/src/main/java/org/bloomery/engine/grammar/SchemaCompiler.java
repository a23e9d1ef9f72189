package org.bloomery.engine.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bloomery.engine.grammar.Facets.Kind;
import org.bloomery.engine.grammar.Facets.Place;
import org.jspecify.annotations.Nullable;

/**
 * Translates JSON Schema, draft 2020-12, to rules over bytes. Each conjunction of schemas that a value must satisfy is a
 * rule: its keywords are merged to {@link Facets}, alternatives multiplied out, and the facets written as text. What the
 * rules allow is valid; not everything that is valid is allowed, so that answers stay short and readable: white space is
 * bounded, properties come in the schema's order, and a listed object has no other properties unless the schema asks for
 * them.
 *
 * <p>A keyword of the standard that cannot be honoured is refused with its path. Other unknown keywords only annotate, as
 * the standard says.
 */
final class SchemaCompiler {

    private static final String SPACE_NAME = "white space";

    private final Budget budget;
    /** The mark around strings, or null for JSON's. */
    private final @Nullable String quote;

    private final SchemaDocument document;
    private final SchemaAlternatives schemas;
    private final List<@Nullable Expr> rules = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final ArrayDeque<List<Place>> open = new ArrayDeque<>();
    private final Map<List<Integer>, Integer> ruleOf = new HashMap<>();
    private final Map<Object, Integer> common = new HashMap<>();

    /** Names a rule for strings. */
    private record Texts(List<CharDfa> all, int minLength, int maxLength) {}

    private SchemaCompiler(String schema, @Nullable String quote, Budget budget) {
        this.budget = budget;
        this.quote = quote;
        document = new SchemaDocument(schema, budget);
        schemas = new SchemaAlternatives(document, budget);
    }

    static Rules compile(String schema) {
        return compile(schema, null, new Budget("The JSON schema"));
    }

    /**
     * Documents that are valid for a schema.
     *
     * @param quote as in {@link Shape.Json}
     */
    static Rules compile(String schema, @Nullable String quote, Budget budget) {
        SchemaCompiler compiler = new SchemaCompiler(schema, quote, budget);
        compiler.rule(List.of(compiler.document.root()));
        return compiler.finish();
    }

    /** Members of an object that is valid for a schema, in a layout of their own. */
    static Rules arguments(String schema, Shape.Layout layout, Budget budget) {
        SchemaCompiler compiler = new SchemaCompiler(schema, null, budget);
        int number = compiler.newRule("#");
        compiler.rules.set(number, compiler.arguments(layout));
        return compiler.finish();
    }

    private Rules finish() {
        // Rules find further rules
        while (!open.isEmpty()) {
            List<Place> next = open.removeFirst();
            rules.set(numberOf(next), translate(next));
        }
        List<Expr> finished = new ArrayList<>();
        for (Expr rule : rules) {
            finished.add(rule == null ? Expr.NEVER : rule);
        }
        return new Rules(finished, names, budget);
    }

    // Rules

    private Expr.Rule rule(List<Place> conjunction) {
        List<Integer> key = SchemaAlternatives.key(conjunction);
        Integer number = ruleOf.get(key);
        if (number == null) {
            number =
                    newRule(conjunction.isEmpty() ? "#" : conjunction.getFirst().path());
            ruleOf.put(key, number);
            open.add(conjunction);
        }
        return new Expr.Rule(number);
    }

    private int numberOf(List<Place> conjunction) {
        Integer number = ruleOf.get(SchemaAlternatives.key(conjunction));
        return number == null ? -1 : number;
    }

    private int newRule(String name) {
        budget.spend(16);
        rules.add(null);
        names.add("the schema at " + name);
        return rules.size() - 1;
    }

    private Expr translate(List<Place> conjunction) {
        if (conjunction.isEmpty()) {
            return anything();
        }
        if (conjunction.size() == 1) {
            Expr simple = simple(conjunction.getFirst());
            if (simple != null) {
                return simple;
            }
        }
        List<Expr> alternatives = new ArrayList<>();
        for (Facets facets : schemas.expand(conjunction)) {
            alternatives.add(write(facets, conjunction.getFirst()));
        }
        return alternatives.size() == 1 ? alternatives.getFirst() : new Expr.Choice(alternatives);
    }

    /** A schema that only refers to others, so that recursion stays recursion; null for any other. */
    private @Nullable Expr simple(Place place) {
        if (!(place.node() instanceof Json.Obj schema)) {
            return null;
        }
        String only = null;
        for (String keyword : schema.members().keySet()) {
            if (!SchemaKeywords.ANNOTATIONS.contains(keyword)) {
                if (only != null) {
                    return null;
                }
                only = keyword;
            }
        }
        if (only == null) {
            return anything();
        }
        return switch (only) {
            case "$ref" -> rule(List.of(document.reference(schema, place)));
            case "allOf" -> rule(document.schemas(schema, "allOf", place));
            case "anyOf" -> choice(document.schemas(schema, "anyOf", place));
            case "oneOf" -> {
                List<Place> options = document.schemas(schema, "oneOf", place);
                List<List<Facets>> expanded = new ArrayList<>();
                for (Place option : options) {
                    expanded.add(schemas.expand(List.of(option)));
                }
                schemas.requireDisjoint(expanded, place);
                yield choice(options);
            }
            default -> null;
        };
    }

    private Expr choice(List<Place> options) {
        List<Expr> alternatives = new ArrayList<>();
        for (Place option : options) {
            alternatives.add(rule(List.of(option)));
        }
        return new Expr.Choice(alternatives);
    }

    // Writing

    private Expr write(Facets facets, Place at) {
        if (facets.values != null) {
            return enumeration(facets, at);
        }
        List<Expr> alternatives = new ArrayList<>();
        for (Kind kind : facets.meant()) {
            if (facets.kinds.contains(kind)) {
                alternatives.add(
                        switch (kind) {
                            case OBJECT -> object(facets, at);
                            case ARRAY -> array(facets);
                            case STRING -> string(facets);
                            case NUMBER -> number(facets, at);
                            case BOOLEAN -> Expr.choice(Expr.literal("true"), Expr.literal("false"));
                            case NULL -> Expr.literal("null");
                        });
            }
        }
        return alternatives.size() == 1 ? alternatives.getFirst() : new Expr.Choice(alternatives);
    }

    private Expr enumeration(Facets facets, Place at) {
        List<String> texts = new ArrayList<>();
        List<Expr> marked = new ArrayList<>();
        Map<String, Json> values = facets.values == null ? Map.of() : facets.values;
        for (Json value : values.values()) {
            budget.spend(16);
            if (facets.valid(value, true)) {
                if (!facets.valid(value, false)) {
                    throw budget.refuse(
                            "lists objects or arrays by 'enum' or 'const' beside other keywords for them at "
                                    + at.path() + ", which is not supported; leave the other keywords out.");
                }
                if (quote == null
                        || !(value instanceof Json.Str || value instanceof Json.Arr || value instanceof Json.Obj)) {
                    texts.add(Json.write(value));
                } else {
                    marked.add(marked(value));
                }
            }
        }
        Expr plain = new Expr.Text(CharDfa.of(texts, budget), false);
        if (marked.isEmpty()) {
            return plain;
        }
        marked.add(plain);
        return new Expr.Choice(marked);
    }

    /** A value whose strings stand between marks. */
    private Expr marked(Json value) {
        budget.spend(16);
        return switch (value) {
            case Json.Str string -> quoted(Expr.literal(string.text()));
            case Json.Arr array ->
                listed("[", array.items().stream().map(this::marked).toList(), "]");
            case Json.Obj object ->
                listed(
                        "{",
                        object.members().entrySet().stream()
                                .map(each -> Expr.sequence(
                                        Expr.literal(each.getKey()), Expr.literal(":"), marked(each.getValue())))
                                .toList(),
                        "}");
            default -> Expr.literal(Json.write(value));
        };
    }

    private static Expr listed(String open, List<Expr> parts, String close) {
        List<Expr> all = new ArrayList<>(List.of(Expr.literal(open)));
        for (int i = 0; i < parts.size(); i++) {
            if (i > 0) {
                all.add(Expr.literal(","));
            }
            all.add(parts.get(i));
        }
        all.add(Expr.literal(close));
        return new Expr.Sequence(all);
    }

    private Expr string(Facets facets) {
        if (facets.minLength > facets.maxLength) {
            return Expr.NEVER;
        }
        if (!facets.texts.isEmpty()) {
            // Formats and patterns stand in many places; each is built once
            return common(
                    new Texts(List.copyOf(facets.texts), facets.minLength, facets.maxLength),
                    () -> quoted(texts(facets.textsOf(budget))));
        }
        if (facets.minLength == 0 && facets.maxLength == Integer.MAX_VALUE) {
            return common(
                    "string",
                    () -> quoted(
                            quote == null ? new Expr.Repeat(character(), 0, Integer.MAX_VALUE) : texts(CharDfa.ALL)));
        }
        if (quote != null) {
            return quoted(texts(CharDfa.ofLength(facets.minLength, facets.maxLength, budget)));
        }
        return quoted(new Expr.Repeat(character(), facets.minLength, facets.maxLength));
    }

    private Expr quoted(Expr content) {
        Expr mark = quote == null ? Expr.literal("\"") : ShapeCompiler.mark(quote);
        return Expr.sequence(mark, content, mark);
    }

    /** The inside of a string that may be these texts. */
    private Expr texts(CharDfa texts) {
        return quote == null
                ? new Expr.Text(texts, true)
                : new Expr.Text(texts.and(without(Shape.quoted(quote)), budget), false);
    }

    /** Texts in which an expression matches nowhere. */
    private CharDfa without(String pattern) {
        return document.pattern(pattern, "#").not(budget);
    }

    /** One character of a string, as it is or escaped; a character beyond the first plane escaped as a pair. */
    private static Expr character() {
        CodePoints hex = new CodePoints.Collector()
                .add('0', '9')
                .add('A', 'F')
                .add('a', 'f')
                .build();
        CodePoints d = CodePoints.of("Dd");
        Expr digit = new Expr.Chars(hex);
        Expr single = Expr.choice(
                Expr.sequence(new Expr.Chars(hex.minus(d)), digit, digit, digit),
                Expr.sequence(new Expr.Chars(d), new Expr.Chars(CodePoints.range('0', '7')), digit, digit));
        Expr pair = Expr.sequence(
                new Expr.Chars(d),
                new Expr.Chars(CodePoints.of("89ABab")),
                digit,
                digit,
                Expr.literal("\\u"),
                new Expr.Chars(d),
                new Expr.Chars(CodePoints.of("CDEFcdef")),
                digit,
                digit);
        return Expr.choice(
                new Expr.Chars(Json.ESCAPED.not()),
                Expr.sequence(
                        Expr.literal("\\"),
                        Expr.choice(
                                new Expr.Chars(CodePoints.of("\"\\/bfnrt")),
                                Expr.sequence(Expr.literal("u"), Expr.choice(single, pair)))));
    }

    private Expr number(Facets facets, Place at) {
        if (facets.bounds.isEmpty()) {
            return Expr.NEVER;
        }
        return common(
                (facets.integer ? "integer " : "number ") + facets.bounds + facets.multiples,
                () -> new Expr.Text(
                        NumberTexts.of(facets.integer, facets.bounds, facets.multiples, budget, at.path()), false));
    }

    private Expr array(Facets facets) {
        if (facets.minItems > facets.maxItems) {
            return Expr.NEVER;
        }
        int fixed = Math.min(facets.prefix.size(), facets.maxItems);
        int least = Math.max(0, facets.minItems - fixed);
        int most = facets.maxItems == Integer.MAX_VALUE ? Integer.MAX_VALUE : facets.maxItems - fixed;
        boolean noMore = facets.items.stream().anyMatch(place -> place.node().equals(new Json.Bool(false)));
        if (noMore && least > 0) {
            return Expr.NEVER;
        }
        Expr separator = separator();
        Expr items = Expr.EMPTY;
        if (!noMore && most > 0) {
            Expr item = rule(facets.items);
            Expr more = Expr.sequence(separator, item);
            items = fixed > 0
                    ? new Expr.Repeat(more, least, most)
                    : Expr.sequence(
                            item,
                            new Expr.Repeat(
                                    more,
                                    Math.max(0, least - 1),
                                    most == Integer.MAX_VALUE ? Integer.MAX_VALUE : most - 1));
            if (fixed == 0 && least == 0) {
                items = Expr.optional(items);
            }
        }
        for (int i = fixed - 1; i >= 0; i--) {
            Expr item = rule(facets.prefix.get(i));
            items = i == 0 ? Expr.sequence(item, items) : Expr.sequence(separator, item, items);
            if (i >= facets.minItems) {
                items = Expr.optional(items);
            }
        }
        return Expr.sequence(Expr.literal("["), space(), items, space(), Expr.literal("]"));
    }

    private Expr object(Facets facets, Place at) {
        MemberWriter writer = new MemberWriter() {
            @Override
            public Expr listed(String name, List<Place> value) {
                return member(Expr.literal(quote == null ? Json.quote(name) : name), value);
            }

            @Override
            public Expr other(@Nullable CharDfa names, List<Place> value) {
                return member(names == null ? string(new Facets()) : quoted(texts(names)), value);
            }
        };
        return Expr.sequence(
                Expr.literal("{"), space(), members(facets, at, writer, separator()), space(), Expr.literal("}"));
    }

    /** Writes a member of an object. */
    private interface MemberWriter {

        /** One that the schema names. */
        Expr listed(String name, List<Place> value);

        /**
         * One that it does not.
         *
         * @param names what it may be called, or null for anything
         */
        Expr other(@Nullable CharDfa names, List<Place> value);
    }

    private Expr members(Facets facets, Place at, MemberWriter writer, Expr separator) {
        if (facets.minProperties > facets.maxProperties) {
            return Expr.NEVER;
        }
        Map<String, List<Place>> listed = new LinkedHashMap<>(facets.properties);
        Map<String, CharDfa> patterns = new LinkedHashMap<>();
        for (Map.Entry<String, List<Place>> each : facets.patterns.entrySet()) {
            patterns.put(each.getKey(), document.pattern(each.getKey(), at.path()));
        }
        for (String name : facets.required) {
            if (!listed.containsKey(name)) {
                List<Place> conjunction = null;
                for (Map.Entry<String, CharDfa> each : patterns.entrySet()) {
                    if (each.getValue().matches(name)) {
                        conjunction = Facets.both(conjunction, facets.patterns.get(each.getKey()));
                    }
                }
                List<Place> other = facets.additional;
                listed.put(name, conjunction != null ? conjunction : other != null ? other : List.of());
            }
        }
        CharDfa nameTexts = names(facets);
        List<Expr.Member> members = new ArrayList<>();
        for (Map.Entry<String, List<Place>> each : listed.entrySet()) {
            boolean required = facets.required.contains(each.getKey());
            boolean named = nameTexts == null || nameTexts.matches(each.getKey());
            members.add(new Expr.Member(named ? writer.listed(each.getKey(), each.getValue()) : Expr.NEVER, required));
        }
        if (members.size() > facets.maxProperties) {
            throw document.unsupported(
                    "maxProperties", at, "which is less than the number of listed properties; make it no less.");
        }
        if (facets.minProperties > Math.max(1, facets.required.size())) {
            throw document.unsupported(
                    "minProperties", at, "which is more than the number of required properties; require as many.");
        }
        Expr more = others(facets, at, writer, listed, patterns, nameTexts);
        int most =
                facets.maxProperties == Integer.MAX_VALUE ? Integer.MAX_VALUE : facets.maxProperties - members.size();
        if (most == 0) {
            more = null;
        }
        return new Expr.Members(members, separator, more, most, facets.minProperties > 0);
    }

    /** The texts that may name a property, or null for all. */
    private @Nullable CharDfa names(Facets facets) {
        CharDfa texts = null;
        if (!facets.names.isEmpty()) {
            for (Facets each : schemas.expand(facets.names)) {
                if (texts != null) {
                    throw document.unsupported(
                            "propertyNames", facets.names.getFirst(), "which is supported without alternatives only.");
                }
                if (!each.kinds.contains(Kind.STRING)) {
                    return CharDfa.of(List.of(), budget);
                }
                texts = each.textsOf(budget);
                if (each.values != null) {
                    List<String> strings = new ArrayList<>();
                    for (Json value : each.values.values()) {
                        if (value instanceof Json.Str string && each.valid(value, true)) {
                            strings.add(string.text());
                        }
                    }
                    texts = CharDfa.of(strings, budget);
                }
            }
            if (texts == null) {
                return CharDfa.of(List.of(), budget);
            }
        }
        return texts;
    }

    /** A property that the schema does not list by name, or null where there is none. */
    private @Nullable Expr others(
            Facets facets,
            Place at,
            MemberWriter writer,
            Map<String, List<Place>> listed,
            Map<String, CharDfa> patterns,
            @Nullable CharDfa nameTexts) {
        List<Expr> kinds = new ArrayList<>();
        CharDfa unlisted =
                listed.isEmpty() ? null : CharDfa.of(listed.keySet(), budget).not(budget);
        if (nameTexts != null) {
            unlisted = unlisted == null ? nameTexts : unlisted.and(nameTexts, budget);
        }
        CharDfa unmatched = unlisted;
        List<CharDfa> seen = new ArrayList<>();
        for (Map.Entry<String, CharDfa> each : patterns.entrySet()) {
            CharDfa own = unlisted == null ? each.getValue() : each.getValue().and(unlisted, budget);
            for (CharDfa earlier : seen) {
                if (!earlier.and(own, budget).isEmpty()) {
                    throw document.unsupported(
                            "patternProperties", at, "whose patterns overlap; make them exclude each other.");
                }
            }
            seen.add(own);
            List<Place> values = facets.patterns.get(each.getKey());
            if (values != null && !own.isEmpty()) {
                kinds.add(writer.other(own, values));
            }
            CharDfa rest = each.getValue().not(budget);
            unmatched = unmatched == null ? rest : unmatched.and(rest, budget);
        }
        if (facets.open()) {
            List<Place> values = facets.additional == null ? List.of() : facets.additional;
            if (unmatched == null || !unmatched.isEmpty()) {
                kinds.add(writer.other(unmatched, values));
            }
        }
        if (kinds.isEmpty()) {
            return null;
        }
        int number = newRule(at.path());
        rules.set(number, new Expr.Choice(kinds));
        return new Expr.Rule(number);
    }

    // Arguments

    /** The members of an object at the root, in a layout of their own. */
    private Expr arguments(Shape.Layout layout) {
        CharDfa texts = without(layout.notInText());
        MemberWriter writer = new MemberWriter() {
            @Override
            public Expr listed(String name, List<Place> value) {
                return written(Expr.literal(name), name, value);
            }

            @Override
            public Expr other(@Nullable CharDfa names, List<Place> value) {
                if (ShapeCompiler.isNamed(layout.afterJson())) {
                    return Expr.NEVER;
                }
                CharDfa plain = Regex.matching("[A-Za-z_][A-Za-z0-9_]*", budget);
                return written(new Expr.Text(names == null ? plain : plain.and(names, budget), false), "", value);
            }

            private Expr written(Expr name, String spelling, List<Place> value) {
                Expr json = Expr.sequence(
                        ShapeCompiler.fixed(layout.beforeJson(), spelling),
                        rule(value),
                        ShapeCompiler.fixed(layout.afterJson(), spelling));
                Expr text = Expr.sequence(
                        ShapeCompiler.fixed(layout.beforeText(), spelling),
                        text(value, texts),
                        ShapeCompiler.fixed(layout.afterText(), spelling));
                return Expr.sequence(
                        ShapeCompiler.fixed(layout.beforeName(), spelling),
                        name,
                        !isText(value) ? json : layout.jsonText() ? Expr.choice(text, json) : text);
            }
        };
        List<Expr> alternatives = new ArrayList<>();
        Place root = document.root();
        for (Facets facets : schemas.expand(List.of(root))) {
            if (facets.values != null || !facets.kinds.contains(Kind.OBJECT)) {
                throw budget.refuse("is not one of an object with properties; give it the type 'object'.");
            }
            alternatives.add(members(facets, root, writer, ShapeCompiler.fixed(layout.separator(), "")));
        }
        return alternatives.size() == 1 ? alternatives.getFirst() : new Expr.Choice(alternatives);
    }

    /** Whether a value may be a string, which is then written as plain text. */
    private boolean isText(List<Place> value) {
        return schemas.expand(value).stream()
                .anyMatch(facets -> facets.meantKinds().contains(Kind.STRING));
    }

    private Expr text(List<Place> value, CharDfa allowed) {
        List<Expr> alternatives = new ArrayList<>();
        for (Facets facets : schemas.expand(value)) {
            if (facets.meantKinds().contains(Kind.STRING)) {
                Map<String, Json> values = facets.values;
                List<String> listed = new ArrayList<>();
                if (values != null) {
                    for (Json each : values.values()) {
                        if (each instanceof Json.Str string && facets.valid(each, true)) {
                            listed.add(string.text());
                        }
                    }
                }
                CharDfa texts = values != null ? CharDfa.of(listed, budget) : facets.textsOf(budget);
                alternatives.add(new Expr.Text(texts.and(allowed, budget), false));
            }
        }
        return new Expr.Choice(alternatives);
    }

    /**
     * The types of values inside a document, by their paths; none where the schema says nothing.
     *
     * @throws GrammarException if the schema is broken or too large
     */
    static Function<List<String>, Set<String>> types(String schema, Budget budget) {
        SchemaCompiler compiler = new SchemaCompiler(schema, null, budget);
        compiler.schemas.expand(List.of(compiler.document.root()));
        return compiler::typesAt;
    }

    private Set<String> typesAt(List<String> path) {
        List<List<Place>> values = List.of(List.of(document.root()));
        for (String name : path) {
            List<List<Place>> inside = new ArrayList<>();
            for (List<Place> value : values) {
                for (Facets facets : schemas.expand(value)) {
                    List<Place> listed = facets.properties.get(name);
                    List<Place> other = facets.additional == null ? List.of() : facets.additional;
                    inside.add(name.equals(PropertyTypes.ITEM) ? facets.items : listed == null ? other : listed);
                }
            }
            values = inside;
        }
        EnumSet<Kind> kinds = EnumSet.noneOf(Kind.class);
        for (List<Place> value : values) {
            schemas.expand(value).forEach(facets -> kinds.addAll(facets.meantKinds()));
        }
        Set<String> names = new TreeSet<>();
        if (kinds.size() < Kind.values().length) {
            kinds.forEach(kind -> names.add(kind.name().toLowerCase(Locale.ROOT)));
        }
        return names;
    }

    private Expr member(Expr name, List<Place> value) {
        return Expr.sequence(name, Expr.literal(":"), space(), rule(value));
    }

    private Expr separator() {
        return Expr.sequence(Expr.literal(","), space());
    }

    /** Nothing, a blank, or a new line with an indentation. */
    private Expr space() {
        return common(
                SPACE_NAME,
                () -> quote != null
                        ? Expr.optional(Expr.literal(" "))
                        : Expr.choice(
                                Expr.EMPTY,
                                Expr.literal(" "),
                                Expr.sequence(
                                        Expr.literal("\n"),
                                        new Expr.Repeat(new Expr.Chars(CodePoints.of(" \t")), 0, 32))));
    }

    /** Any value. */
    private Expr anything() {
        return common("value", () -> write(new Facets(), document.root()));
    }

    /** A rule that many places share. */
    private Expr common(Object name, Supplier<Expr> body) {
        Integer known = common.get(name);
        if (known == null) {
            known = newRule(name instanceof String text ? text : "texts");
            common.put(name, known);
            rules.set(known, body.get());
        }
        return new Expr.Rule(known);
    }
}
