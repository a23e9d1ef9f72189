package org.bloomery.engine.grammar;

import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** What types the values inside an object have, by its schema. */
public final class PropertyTypes {

    /** An element of an array in a path; no property has this name. */
    public static final String ITEM = "[]";

    private final Function<List<String>, Set<String>> types;

    private PropertyTypes(Function<List<String>, Set<String>> types) {
        this.types = types;
    }

    /**
     * Of a JSON Schema of an object.
     *
     * @throws GrammarException if the schema is broken or too large
     */
    public static PropertyTypes of(String schema) {
        return new PropertyTypes(SchemaCompiler.types(schema, new Budget("The JSON schema")));
    }

    /**
     * The types of a value: {@code object}, {@code array}, {@code string}, {@code number}, {@code boolean}, {@code null}; none
     * where the schema says nothing.
     *
     * @param path names of properties from the outermost on; {@link #ITEM} for an element of an array
     */
    public Set<String> of(List<String> path) {
        return types.apply(path);
    }
}
