package org.bloomery.spring.security;

import java.io.StringWriter;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Changes the texts in a JSON document and leaves it a JSON document. */
final class JsonStrings {

    private static final JsonFactory JSON = new JsonFactory();

    private JsonStrings() {}

    /**
     * Puts every string, name and number through a change. A number that is changed becomes a string. The document itself
     * comes back where nothing changes, and what is no JSON goes through the change as one text.
     */
    static String map(String json, UnaryOperator<String> change) {
        String mapped = mapped(json, change);
        return mapped == null ? change.apply(json) : mapped;
    }

    private static @Nullable String mapped(String json, UnaryOperator<String> change) {
        StringWriter out = new StringWriter(json.length());
        boolean changed = false;
        try (JsonParser in = JSON.createParser(ObjectReadContext.empty(), json);
                JsonGenerator to = JSON.createGenerator(ObjectWriteContext.empty(), out)) {
            for (JsonToken token = in.nextToken(); token != null; token = in.nextToken()) {
                switch (token) {
                    case PROPERTY_NAME -> {
                        String name = change.apply(in.currentName());
                        changed |= !name.equals(in.currentName());
                        to.writeName(name);
                    }
                    case VALUE_STRING -> {
                        String text = change.apply(in.getString());
                        changed |= !text.equals(in.getString());
                        to.writeString(text);
                    }
                    case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
                        String number = in.getString();
                        String text = change.apply(number);
                        if (text.equals(number)) {
                            to.writeNumber(number);
                        } else {
                            changed = true;
                            to.writeString(text);
                        }
                    }
                    default -> to.copyCurrentEvent(in);
                }
            }
        } catch (JacksonException e) {
            return null;
        }
        return changed ? out.toString() : json;
    }
}
