package org.bloomery.spring.chat;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** JSON of answers, for comparison. */
final class Json {

    private static final JsonMapper MAPPER = new JsonMapper();

    private Json() {}

    /** The object that a text is, or null where it is none. */
    static @Nullable Map<String, Object> object(String text) {
        try {
            return MAPPER.readValue(text, new TypeReference<>() {});
        } catch (JacksonException e) {
            return null;
        }
    }

    static String text(Object value) {
        return MAPPER.writeValueAsString(value);
    }
}
