package org.bloomery.engine.grammar;

import java.util.function.Predicate;

/** What kinds of values the properties of an object have, by its schema. */
public final class PropertyTypes {

    private final Predicate<String> texts;

    private PropertyTypes(Predicate<String> texts) {
        this.texts = texts;
    }

    /**
     * Of a JSON Schema of an object.
     *
     * @throws GrammarException if the schema is broken or too large
     */
    public static PropertyTypes of(String schema) {
        return new PropertyTypes(SchemaCompiler.texts(schema, new Budget("The JSON schema")));
    }

    /** Whether a property may be a string; one of which the schema says nothing may. */
    public boolean isText(String property) {
        return texts.test(property);
    }
}
