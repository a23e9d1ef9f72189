package org.bloomery.engine.chat;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.chat.AnswerSyntax.ToolCalls;
import org.bloomery.engine.grammar.Grammar;
import org.bloomery.engine.grammar.GrammarException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Which tools can be offered: a tool whose schema is broken must not take the others with it. Verdicts are remembered, since
 * applications offer the same tools again and again. Safe for use by many threads.
 */
final class ToolCheck {

    private static final Logger LOG = System.getLogger(ToolCheck.class.getName());

    private static final int MAX_REMEMBERED = 1024;
    private static final int MAX_NAME = 256;

    private final ToolCalls family;
    private final ReentrantLock lock = new ReentrantLock();
    /** What is wrong with a tool, the one asked for last at the end. */
    private final LinkedHashMap<ToolSpec, Optional<String>> verdicts = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ToolSpec, Optional<String>> eldest) {
            return size() > MAX_REMEMBERED;
        }
    };

    ToolCheck(ToolCalls family) {
        this.family = family;
    }

    /**
     * Those of the tools that can be offered, with schemas that say that arguments are an object.
     *
     * @throws InvalidOptionException where none can be, or not the one that must be called, or two have one name
     */
    List<ToolSpec> usable(List<ToolSpec> tools, ToolChoice choice) {
        List<ToolSpec> usable = new ArrayList<>();
        Set<String> names = new HashSet<>();
        String first = null;
        for (ToolSpec tool : tools) {
            if (!names.add(tool.name())) {
                throw new InvalidOptionException("Two of the offered tools are called '" + shown(tool.name())
                        + "'; give each a name of its own.");
            }
            if (choice.tool() != null && !choice.tool().equals(tool.name())) {
                continue;
            }
            String wrong = verdict(tool, true);
            if (wrong == null) {
                usable.add(new ToolSpec(tool.name(), tool.description(), ofObject(tool.parameters())));
            } else if (first == null) {
                first = wrong;
            }
        }
        if (choice.tool() != null && !names.contains(choice.tool())) {
            throw new InvalidOptionException("Option 'tool-choice' names the tool '" + shown(choice.tool())
                    + "', which is not offered; offer it, or name one of the " + tools.size() + " that are.");
        }
        if (usable.isEmpty() && first != null) {
            throw new InvalidOptionException(first);
        }
        if (usable.isEmpty() && choice.demandsCall()) {
            throw new InvalidOptionException(
                    "Option 'tool-choice' demands a call, but no tools are offered; offer one, or leave it at auto.");
        }
        return usable;
    }

    /** What is wrong with a tool, if anything. The log is left alone: whoever asks has the word. */
    Optional<String> wrong(ToolSpec tool) {
        return Optional.ofNullable(verdict(tool, false));
    }

    private @Nullable String verdict(ToolSpec tool, boolean logged) {
        Optional<String> known;
        lock.lock();
        try {
            known = verdicts.get(tool);
        } finally {
            lock.unlock();
        }
        if (known == null) {
            known = Optional.ofNullable(check(tool));
            if (logged && known.isPresent()) {
                LOG.log(Level.WARNING, "A tool is left out of requests that offer it. " + known.get());
            }
            lock.lock();
            try {
                verdicts.put(tool, known);
            } finally {
                lock.unlock();
            }
        }
        return known.orElse(null);
    }

    private @Nullable String check(ToolSpec tool) {
        String name = tool.name();
        if (name.isBlank()
                || name.length() > MAX_NAME
                || name.chars().anyMatch(c -> c <= ' ' || "<>[]{}()\"'\\".indexOf(c) >= 0)) {
            return "A tool is called '" + shown(name) + "'; expected 1 to " + MAX_NAME
                    + " characters without spaces, quotes and brackets. Rename it.";
        }
        try {
            ChatFormat.tool(tool);
            String type = type(tool.parameters());
            if (type != null && !type.equals("object")) {
                return "The schema of tool '" + name + "' has '" + shown(type)
                        + "' at #/type, but arguments are an object; make it 'object'.";
            }
            Grammar.of(null, family.calls(List.of(new ToolSpec(name, "", ofObject(tool.parameters())))));
            return null;
        } catch (GrammarException | InvalidOptionException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static String shown(String name) {
        return name.length() > 64 ? name.substring(0, 64) + "…" : name;
    }

    /** A schema with the type that arguments have where it names none; any other text as it is. */
    private static String ofObject(String schema) {
        if (schema.isBlank()) {
            return "{\"type\":\"object\",\"properties\":{}}";
        }
        if (type(schema) != null || !schema.stripLeading().startsWith("{")) {
            return schema;
        }
        String rest = schema.substring(schema.indexOf('{') + 1);
        return "{\"type\":\"object\"" + (rest.stripLeading().startsWith("}") ? "" : ",") + rest;
    }

    /** The type that a schema names at its root, or null where it names none or is no JSON object. */
    private static @Nullable String type(String schema) {
        try (JsonParser json = JsonCalls.parser(schema)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                boolean type = "type".equals(json.currentName());
                json.nextToken();
                if (type) {
                    return json.currentToken() == JsonToken.VALUE_STRING ? json.getString() : "no string";
                }
                json.skipChildren();
            }
        } catch (JacksonException e) {
            return null;
        }
        return null;
    }
}
