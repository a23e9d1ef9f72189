package org.bloomery.engine.template;

import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.TextSpan;

/**
 * A chat template: the text of a model file that turns a conversation into a prompt, in the Jinja language as Hugging
 * Face runs it (immutable sandbox, trim_blocks, lstrip_blocks, break and continue, generation blocks, tojson, raise_exception,
 * strftime_now). Immutable and safe for use by many threads.
 */
public final class Template {

    /** Longest source, in characters. */
    private static final int MAX_SOURCE = 4 << 20;

    private final List<Node> body;

    private Template(List<Node> body) {
        this.body = body;
    }

    /**
     * Parses a template's source.
     *
     * @throws TemplateException naming the line where the source is not valid, is longer than 4 Mi characters, or nests
     *     deeper than 128
     */
    public static Template parse(String source) {
        if (source.length() > MAX_SOURCE) {
            throw new TemplateException("The chat template has " + source.length() + " characters; at most "
                    + MAX_SOURCE + " are allowed.");
        }
        return new Template(Parser.parse(source));
    }

    /**
     * Renders the template. The spans joined are the prompt; neighbours differ in origin. A character is trusted if it
     * comes from the template itself or from a {@linkplain Value#trusted trusted} string, and untrusted if that is in
     * doubt.
     *
     * @param variables what the template may read, such as messages, tools, add_generation_prompt
     * @param clock what strftime_now reads, with its time zone
     * @throws TemplateException where the template fails, refuses its input by raise_exception, or exceeds a limit: one
     *     million steps, one Mi of output characters (both more for large input), nesting 128
     */
    public List<TextSpan> render(Map<String, Value> variables, Clock clock) {
        Size size = new Size();
        for (Map.Entry<String, Value> variable : variables.entrySet()) {
            size.add(variable.getValue());
        }
        Interpreter interpreter = new Interpreter(variables, clock, new Fuel(size.values, size.characters));
        try {
            return interpreter.run(body).spans();
        } catch (StackOverflowError e) {
            // The limits leave room on usual stacks; this is for a caller that comes with little left
            throw new TemplateException("The chat template nests deeper than this thread's stack has room for, at line "
                    + interpreter.line() + "; call from a thread with a larger stack.");
        } catch (Failure failure) {
            throw new TemplateException(
                    sentence("The chat template fails at line " + interpreter.line() + ": " + failure.getMessage()),
                    failure.refusal());
        }
    }

    private static String sentence(String text) {
        return text.endsWith(".") || text.endsWith("!") || text.endsWith("?") ? text : text + ".";
    }

    /** How much the template is given. */
    private static final class Size {
        private long values;
        private long characters;

        void add(Value value) {
            values++;
            switch (value) {
                case Text text -> characters += text.length();
                case Seq seq -> seq.items().forEach(this::add);
                case Dict dict ->
                    dict.entries().forEach((key, each) -> {
                        add(key);
                        add(each);
                    });
                default -> {}
            }
        }
    }
}
