package org.bloomery.engine.chat;

import java.io.StringWriter;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.core.json.JsonFactory;

/**
 * A call in the form {@code {"name": …, "arguments": {…}}}.
 *
 * @param incomplete whether the text ends before the JSON does
 * @param name empty where this is no call
 * @param arguments a JSON object as the model wrote it
 */
record HermesCall(boolean incomplete, String name, String arguments) {

    private static final HermesCall NONE = new HermesCall(false, "", "");
    private static final HermesCall INCOMPLETE = new HermesCall(true, "", "");

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(64)
                    .maxNumberLength(1000)
                    .maxNameLength(10_000)
                    .maxStringLength(1 << 20)
                    .build())
            .build();

    /** JSON Schema of a call of one of these tools. Their arguments are any object: what they accept is theirs to say. */
    static String schema(List<ToolSpec> tools) {
        StringWriter schema = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), schema)) {
            json.writeStartObject();
            json.writeStringProperty("type", "object");
            json.writeObjectPropertyStart("properties");
            json.writeObjectPropertyStart("name");
            json.writeArrayPropertyStart("enum");
            tools.forEach(tool -> json.writeString(tool.name()));
            json.writeEndArray();
            json.writeEndObject();
            json.writeObjectPropertyStart("arguments");
            json.writeStringProperty("type", "object");
            json.writeEndObject();
            json.writeEndObject();
            json.writeArrayPropertyStart("required");
            json.writeString("name");
            json.writeString("arguments");
            json.writeEndArray();
            json.writeEndObject();
        }
        return schema.toString();
    }

    boolean valid() {
        return !name.isEmpty();
    }

    static HermesCall parse(String text) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            return parse(parser, text);
        } catch (UnexpectedEndOfInputException e) {
            return INCOMPLETE;
        } catch (JacksonException e) {
            return NONE;
        }
    }

    private static HermesCall parse(JsonParser parser, String text) {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            return NONE;
        }
        String name = "";
        String arguments = "{}";
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            JsonToken token = parser.nextToken();
            if (key.equals("name") && token == JsonToken.VALUE_STRING) {
                name = parser.getString();
            } else if (key.equals("arguments") || key.equals("parameters")) {
                if (token == JsonToken.START_OBJECT) {
                    int start = (int) parser.currentTokenLocation().getCharOffset();
                    parser.skipChildren();
                    arguments =
                            text.substring(start, (int) parser.currentLocation().getCharOffset());
                } else if (token == JsonToken.VALUE_STRING && isObject(parser.getString())) {
                    arguments = parser.getString();
                } else if (token != JsonToken.VALUE_NULL) {
                    return NONE;
                }
            } else {
                parser.skipChildren();
            }
        }
        return parser.nextToken() == null ? new HermesCall(false, name, arguments) : NONE;
    }

    /** Some models write the arguments as a string that holds JSON. */
    private static boolean isObject(String text) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            parser.skipChildren();
            return parser.currentToken() == JsonToken.END_OBJECT && parser.nextToken() == null;
        } catch (JacksonException e) {
            return false;
        }
    }
}
