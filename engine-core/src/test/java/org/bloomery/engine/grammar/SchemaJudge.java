package org.bloomery.engine.grammar;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.util.List;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Another implementation of JSON Schema, draft 2020-12, with formats as assertions: what the tests compare with. */
final class SchemaJudge {

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Schema schema;

    SchemaJudge(String schema) {
        SchemaRegistry registry = SchemaRegistry.withDefaultDialect(
                SpecificationVersion.DRAFT_2020_12,
                builder -> builder.schemaRegistryConfig(SchemaRegistryConfig.builder()
                        .formatAssertionsEnabled(true)
                        .build()));
        this.schema = registry.getSchema(MAPPER.readTree(schema));
    }

    /** What is wrong with a document, nothing where it is valid. */
    List<String> errors(String document) {
        return schema.validate(MAPPER.readTree(document)).stream()
                .map(error -> error.getKeyword() + " at " + error.getInstanceLocation() + ": " + error.getMessage())
                .toList();
    }
}
