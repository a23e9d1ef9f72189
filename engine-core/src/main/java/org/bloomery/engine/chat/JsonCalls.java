package org.bloomery.engine.chat;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.core.json.JsonFactory;

/** Calls that are JSON: an object with name and arguments, several of them, or a list. */
final class JsonCalls {

    /** An index that says that the text ends before the JSON does. */
    static final int INCOMPLETE = -1;

    /** An index that says that there is no JSON object. */
    static final int NO_OBJECT = -2;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(64)
                    .maxNumberLength(1000)
                    .maxNameLength(10_000)
                    .maxStringLength(1 << 20)
                    .build())
            .build();

    private JsonCalls() {}

    static JsonParser parser(String text) {
        return FACTORY.createParser(ObjectReadContext.empty(), text);
    }

    static JsonGenerator generator(StringWriter json) {
        return FACTORY.createGenerator(ObjectWriteContext.empty(), json);
    }

    /** Reads {@code {"name": …, "arguments": {…}}} and nothing else. */
    static CallReader.Reading one(String body, OfferedTools tools) {
        return read(body, parser -> {
            List<CallReader.Call> calls = new ArrayList<>();
            return parser.nextToken() == JsonToken.START_OBJECT
                            && add(calls, call(parser, body))
                            && parser.nextToken() == null
                    ? new CallReader.Reading(false, calls, body.length())
                    : CallReader.Reading.NONE;
        });
    }

    /** Reads as {@link #one}, but only calls of tools that were offered, and of several one behind the other. */
    static CallReader.Reading offered(String body, OfferedTools tools) {
        CallReader.Reading found = several(body, tools);
        return found.calls().stream().allMatch(call -> tools.has(call.name())) ? found : CallReader.Reading.NONE;
    }

    /** Reads a list of calls, or calls one behind the other, and nothing else. */
    static CallReader.Reading several(String body, OfferedTools tools) {
        return read(body, parser -> {
            List<CallReader.Call> calls = new ArrayList<>();
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (!(token == JsonToken.START_ARRAY
                        ? addAll(calls, parser, body)
                        : token == JsonToken.START_OBJECT && add(calls, call(parser, body)))) {
                    return CallReader.Reading.NONE;
                }
            }
            return new CallReader.Reading(false, calls, body.length());
        });
    }

    /** Reads a list of calls, perhaps with a word before it, and nothing else. */
    static CallReader.Reading functools(String body, OfferedTools tools) {
        String word = "functools";
        String text = body.strip();
        CallReader.Reading found = several(text.startsWith(word) ? text.substring(word.length()) : text, tools);
        return new CallReader.Reading(found.incomplete(), found.calls(), body.length());
    }

    /** Reads a list of calls at the beginning. */
    static CallReader.Reading list(String body, OfferedTools tools) {
        return read(body, parser -> {
            List<CallReader.Call> calls = new ArrayList<>();
            return parser.nextToken() == JsonToken.START_ARRAY && addAll(calls, parser, body)
                    ? new CallReader.Reading(false, calls, offset(parser))
                    : CallReader.Reading.NONE;
        });
    }

    /** Reads {@code [{"name": {…arguments…}}, …]}. */
    static CallReader.Reading keyed(String body, OfferedTools tools) {
        return read(body, parser -> {
            List<CallReader.Call> calls = new ArrayList<>();
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                return CallReader.Reading.NONE;
            }
            while (parser.nextToken() == JsonToken.START_OBJECT) {
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    if (name.isEmpty() || parser.nextToken() != JsonToken.START_OBJECT) {
                        return CallReader.Reading.NONE;
                    }
                    calls.add(new CallReader.Call(name, object(parser, body)));
                }
            }
            return parser.currentToken() == JsonToken.END_ARRAY && parser.nextToken() == null
                    ? new CallReader.Reading(false, calls, body.length())
                    : CallReader.Reading.NONE;
        });
    }

    /** Index behind the JSON object that begins at an index, white space aside; or one of the negative constants. */
    static int objectEnd(String text, int from) {
        try (JsonParser parser = parser(text.substring(from))) {
            JsonToken token = parser.nextToken();
            if (token != JsonToken.START_OBJECT) {
                return token == null ? INCOMPLETE : NO_OBJECT;
            }
            parser.skipChildren();
            return parser.currentToken() == JsonToken.END_OBJECT ? from + offset(parser) : INCOMPLETE;
        } catch (UnexpectedEndOfInputException e) {
            return INCOMPLETE;
        } catch (JacksonException e) {
            return NO_OBJECT;
        }
    }

    /** Whether a text is one JSON value. */
    static boolean isValue(String text) {
        try (JsonParser parser = parser(text)) {
            if (parser.nextToken() == null) {
                return false;
            }
            parser.skipChildren();
            return parser.nextToken() == null;
        } catch (JacksonException e) {
            return false;
        }
    }

    private interface Body {
        CallReader.Reading read(JsonParser parser);
    }

    private static CallReader.Reading read(String text, Body body) {
        try (JsonParser parser = parser(text)) {
            return body.read(parser);
        } catch (UnexpectedEndOfInputException e) {
            return CallReader.Reading.INCOMPLETE;
        } catch (JacksonException e) {
            return CallReader.Reading.NONE;
        }
    }

    private static boolean addAll(List<CallReader.Call> calls, JsonParser parser, String text) {
        while (parser.nextToken() == JsonToken.START_OBJECT) {
            if (!add(calls, call(parser, text))) {
                return false;
            }
        }
        return parser.currentToken() == JsonToken.END_ARRAY;
    }

    private static boolean add(List<CallReader.Call> calls, CallReader.@Nullable Call call) {
        return call != null && calls.add(call);
    }

    /** The object that the parser is at the beginning of, as a call; null where it is none. */
    private static CallReader.@Nullable Call call(JsonParser parser, String text) {
        String name = "";
        String arguments = "{}";
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            JsonToken token = parser.nextToken();
            if ((key.equals("name") || key.equals("tool_name")) && token == JsonToken.VALUE_STRING) {
                name = parser.getString();
            } else if (key.equals("arguments") || key.equals("parameters")) {
                if (token == JsonToken.START_OBJECT) {
                    arguments = object(parser, text);
                } else if (token == JsonToken.VALUE_STRING && isObject(parser.getString())) {
                    // Some models write the arguments as a string that holds JSON
                    arguments = parser.getString();
                } else if (token != JsonToken.VALUE_NULL) {
                    return null;
                }
            } else {
                parser.skipChildren();
            }
        }
        return name.isEmpty() ? null : new CallReader.Call(name, arguments);
    }

    /** The object that the parser is at the beginning of, as it is written. */
    private static String object(JsonParser parser, String text) {
        int start = (int) parser.currentTokenLocation().getCharOffset();
        parser.skipChildren();
        return text.substring(start, offset(parser));
    }

    private static int offset(JsonParser parser) {
        return (int) parser.currentLocation().getCharOffset();
    }

    private static boolean isObject(String text) {
        return text.stripLeading().startsWith("{") && isValue(text);
    }
}
