package org.bloomery.engine.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bloomery.engine.grammar.Shape;
import org.jspecify.annotations.Nullable;

/**
 * How families whose answers are several messages, each with a header, mark these. Headers say whether a message is
 * reasoning, text or calls, and never are part of the answer.
 */
abstract class Framing {
    /** One message without a header. */
    static final Framing NONE = new Framing(List.of(), List.of(), List.of()) {
        @Override
        Header message(String header, String behind) {
            return Header.NO_HEADER;
        }
    };

    /** OpenAI's harmony: {@code <|start|>assistant to=functions.NAME<|channel|>commentary json<|message|>…<|call|>}. */
    static final Framing HARMONY =
            new Framing(
                    List.of("<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "to="),
                    List.of("<|message|>"),
                    List.of("<|end|>", "<|call|>", "<|return|>")) {
                @Override
                Header message(String header, String behind) {
                    if (!isOfAssistant(header, "<|start|>")) {
                        return Header.of(Kind.OTHER, "");
                    }
                    String recipient = word(header, "to=");
                    if (!recipient.isEmpty()
                            && !List.of("all", "assistant", "user").contains(recipient)) {
                        String namespace = "functions.";
                        return Header.of(
                                Kind.CALLS,
                                (recipient.startsWith(namespace) ? recipient.substring(namespace.length()) : recipient)
                                        + "\n");
                    }
                    return Header.of(word(header, "<|channel|>").equals("analysis") ? Kind.REASONING : Kind.TEXT, "");
                }

                @Override
                Shape text(Shape content) {
                    Shape channel = Shape.sequence(
                            Shape.mark("<|channel|>"),
                            Shape.oneOf(List.of(Shape.text("final"), Shape.text("commentary"))));
                    return Shape.sequence(channel, written("", content));
                }

                @Override
                Shape reasoning() {
                    return Shape.sequence(Shape.mark("<|channel|>"), written("analysis", plainText()));
                }

                @Override
                Shape next() {
                    return Shape.sequence(
                            Shape.oneOf(List.of(Shape.mark("<|end|>"), Shape.mark("<|call|>"))),
                            Shape.mark("<|start|>"),
                            Shape.text("assistant"));
                }

                @Override
                String reasoningEnd() {
                    return "<|end|><|start|>assistant<|channel|>final<|message|>";
                }
            };

    /** Muse: {@code <|start|>assistant to=RECIPIENT<|message|>…<|eom|>}, where the recipient self is for reasoning. */
    static final Framing MUSE =
            new Framing(
                    List.of("<|start|>", "<|message|>", "to="), List.of("<|message|>"), List.of("<|eom|>", "<|eot|>")) {
                @Override
                Header message(String header, String behind) {
                    if (!isOfAssistant(header, "<|start|>")) {
                        return Header.of(Kind.OTHER, "");
                    }
                    return switch (word(header, "to=")) {
                        case "self" -> Header.of(Kind.REASONING, "");
                        case "", "user" -> Header.of(Kind.TEXT, "");
                        default -> Header.of(Kind.CALLS, "");
                    };
                }

                @Override
                Shape text(Shape content) {
                    return Shape.sequence(Shape.optional(Shape.text(" to=user")), written("", content));
                }

                @Override
                Shape reasoning() {
                    return written(" to=self", plainText());
                }

                @Override
                Shape next() {
                    return Shape.sequence(Shape.mark("<|eom|>"), Shape.mark("<|start|>"), Shape.text("assistant"));
                }

                @Override
                String reasoningEnd() {
                    return "<|eom|><|start|>assistant to=user<|message|>";
                }
            };

    /** Solar Open: {@code <|begin|>assistant<|content|>…<|end|>}, with another mark for reasoning and for calls. */
    static final Framing SOLAR =
            new Framing(
                    List.of("<|begin|>", "<|think|>", "<|content|>", "<|tool_calls|>"),
                    List.of("<|think|>", "<|content|>", "<|tool_calls|>"),
                    List.of("<|end|>", "<|calls|>", "<|flush|>")) {
                @Override
                Header message(String header, String behind) {
                    if (!isOfAssistant(header, "<|begin|>")) {
                        return Header.of(Kind.OTHER, "");
                    }
                    return switch (behind) {
                        case "<|think|>" -> Header.of(Kind.REASONING, "");
                        case "<|tool_calls|>" -> Header.of(Kind.CALLS, "");
                        default -> Header.of(Kind.TEXT, "");
                    };
                }

                @Override
                Shape text(Shape content) {
                    return Shape.sequence(Shape.mark("<|content|>"), content);
                }

                @Override
                Shape reasoning() {
                    return Shape.sequence(Shape.mark("<|think|>"), plainText());
                }

                @Override
                Shape next() {
                    return Shape.sequence(
                            Shape.oneOf(List.of(Shape.mark("<|end|>"), Shape.mark("<|calls|>"))),
                            Shape.mark("<|begin|>"),
                            Shape.text("assistant"));
                }

                @Override
                String reasoningEnd() {
                    return "<|end|><|begin|>assistant<|content|>";
                }
            };

    /** GigaChat 3: {@code ROLE<|role_sep|>…<|message_sep|>}, where a role of its own is for calls. */
    static final Framing GIGACHAT =
            new Framing(
                    Stream.of("assistant", "function call", "function result", "user", "system")
                            .map(role -> role + "<|role_sep|>")
                            .toList(),
                    List.of("<|role_sep|>"),
                    List.of("<|message_sep|>")) {
                @Override
                Header message(String header, String behind) {
                    return switch (header.strip()) {
                        case "assistant" -> Header.of(Kind.TEXT, "");
                        case "function call" -> Header.of(Kind.CALLS, "");
                        default -> Header.of(Kind.OTHER, "");
                    };
                }

                @Override
                boolean callsFrom(String header, OfferedTools tools) {
                    return header.startsWith("function call");
                }

                // The prompt has written the header of a message of text
                @Override
                Shape answer(Shape content, @Nullable Shape calls, boolean demanded, boolean constrained) {
                    if (calls == null) {
                        return content;
                    }
                    Shape called = Shape.sequence(Shape.mark("<|message_sep|>"), Shape.text("\n\n"), calls);
                    if (demanded) {
                        return called;
                    }
                    return constrained
                            ? Shape.oneOf(List.of(content, called))
                            : Shape.sequence(content, Shape.optional(called));
                }
            };

    /** Functionary 3.2: {@code >>>RECIPIENT}, a line break and the message; the prompt writes the first mark. */
    static final Framing FUNCTIONARY = new Framing(List.of(">>>"), List.of("\n"), List.of()) {
        @Override
        Header header(String text, boolean first, OfferedTools tools) {
            if (!text.startsWith(">>>") && (!first || ">>>".startsWith(text))) {
                return ">>>".startsWith(text) ? Header.INCOMPLETE : Header.NO_HEADER;
            }
            int from = text.startsWith(">>>") ? 3 : 0;
            int line = text.indexOf('\n', from);
            String name = text.substring(from, line < 0 ? text.length() : line);
            if (name.length() > MAX_NAME
                    || !name.chars().allMatch(Framing::isOfName)
                    || (line >= 0 && name.isEmpty())) {
                return Header.NO_HEADER;
            }
            if (line < 0) {
                return Header.INCOMPLETE;
            }
            if (name.equals("all")) {
                return new Header(line + 1, Kind.TEXT, "");
            }
            String rest = text.substring(line + 1).stripLeading();
            if (!tools.has(name) && !rest.startsWith("{")) {
                return rest.isEmpty() ? Header.INCOMPLETE : Header.NO_HEADER;
            }
            return new Header(line + 1, Kind.CALLS, name + "\n");
        }

        @Override
        boolean isTornHeader(String text, OfferedTools tools) {
            return text.startsWith(">>>")
                    && (text.equals(">>>") || ">>>all\n".startsWith(text) || callsFrom(text, tools));
        }

        @Override
        boolean callsFrom(String header, OfferedTools tools) {
            return header.length() > 3
                    && tools.tools().stream().anyMatch(tool -> (">>>" + tool.name() + "\n").startsWith(header));
        }

        @Override
        Header message(String header, String behind) {
            return Header.NO_HEADER;
        }

        @Override
        Shape text(Shape content) {
            return Shape.sequence(Shape.text("all\n"), content);
        }

        @Override
        Shape next() {
            return Shape.text(">>>");
        }
    };

    /** What a message is. */
    enum Kind {
        TEXT,
        REASONING,
        CALLS,
        /** Of somebody else, made up by the model. */
        OTHER
    }

    /**
     * What stands before a message.
     *
     * @param end index behind it; 0 where there is none, negative where the text ends before that is certain
     * @param callee what a reader of calls finds before the message's text
     */
    record Header(int end, Kind kind, String callee) {

        static final Header NO_HEADER = new Header(0, Kind.TEXT, "");
        static final Header INCOMPLETE = new Header(-1, Kind.OTHER, "");

        static Header of(Kind kind, String callee) {
            return new Header(0, kind, callee);
        }

        private Header upTo(int index) {
            return new Header(index, kind, callee);
        }
    }

    /** Longest header, in characters; what follows a longer one is dropped up to the next mark. */
    private static final int MAX_HEADER = 1000;

    private static final int MAX_NAME = 64;

    private final List<String> begins;
    private final List<String> behind;
    private final List<String> ends;

    /**
     * @param begins what headers begin with
     * @param behind what headers end with
     * @param ends what messages end with
     */
    private Framing(List<String> begins, List<String> behind, List<String> ends) {
        this.begins = begins;
        this.behind = behind;
        this.ends = ends;
    }

    /** What messages end with. */
    List<String> ends() {
        return ends;
    }

    /** Marks that begin another header, even inside a message. */
    List<String> restarts() {
        return begins.stream()
                .filter(mark -> mark.startsWith("<|") || mark.equals(">>>"))
                .toList();
    }

    /**
     * Answers that are messages of this framing.
     *
     * @param content what a message of text holds
     * @param calls one call with its header, or null where there may be none
     * @param demanded whether there must be a call
     * @param constrained whether the content is constrained, so that there is one message of text or calls
     */
    Shape answer(Shape content, @Nullable Shape calls, boolean demanded, boolean constrained) {
        Shape next = next();
        Shape reasoning = reasoning();
        Shape before = reasoning.equals(Shape.NOTHING)
                ? Shape.NOTHING
                : new Shape.Repeat(Shape.sequence(reasoning, next), 0, Integer.MAX_VALUE);
        if (calls == null) {
            return constrained ? Shape.sequence(before, text(content)) : several(content, List.of());
        }
        Shape several = Shape.several(calls, next);
        if (demanded) {
            return Shape.sequence(before, several);
        }
        return constrained
                ? Shape.sequence(before, Shape.oneOf(List.of(text(content), several)))
                : several(content, List.of(calls));
    }

    private Shape several(Shape content, List<Shape> calls) {
        List<Shape> messages = new ArrayList<>(calls);
        messages.add(text(content));
        if (!reasoning().equals(Shape.NOTHING)) {
            messages.add(reasoning());
        }
        return Shape.several(Shape.oneOf(messages), next());
    }

    /** Text that is no header and no end of a message. */
    Shape plainText() {
        return Shape.without(Stream.of(
                        restarts(),
                        behind.stream().filter(mark -> mark.startsWith("<|")).toList(),
                        ends)
                .flatMap(List::stream)
                .distinct()
                .toList());
    }

    /** A message of text. */
    Shape text(Shape content) {
        return content;
    }

    /** A message of reasoning, or nothing where there are none. */
    Shape reasoning() {
        return Shape.NOTHING;
    }

    /** What stands between two messages. */
    Shape next() {
        return Shape.NOTHING;
    }

    /** What ends reasoning and begins a message of text; empty where there is no reasoning. */
    String reasoningEnd() {
        return "";
    }

    private static Shape written(String header, Shape content) {
        return Shape.sequence(Shape.text(header), Shape.mark("<|message|>"), content);
    }

    /** Whether vocabularies may spell a mark of headers and messages so. */
    boolean isMark(String text) {
        return Stream.of(begins, behind, ends).flatMap(List::stream).anyMatch(text::equals);
    }

    /**
     * The header at the beginning of a text.
     *
     * @param first whether the answer begins here
     */
    Header header(String text, boolean first, OfferedTools tools) {
        if (begins.stream().noneMatch(text::startsWith)) {
            return begins.stream().anyMatch(mark -> mark.startsWith(text)) ? Header.INCOMPLETE : Header.NO_HEADER;
        }
        Mark close = Mark.first(behind, text, 0);
        Mark end = Mark.first(ends, text, 0);
        if (end.at() < Math.min(close.at(), MAX_HEADER)) {
            return Header.of(Kind.OTHER, "").upTo(end.at());
        }
        if (close.at() > MAX_HEADER) {
            return text.length() > MAX_HEADER ? Header.of(Kind.OTHER, "").upTo(MAX_HEADER) : Header.INCOMPLETE;
        }
        return message(text.substring(0, close.at()), close.text()).upTo(close.end());
    }

    /** Whether a text is a header that the end of the answer tears. */
    boolean isTornHeader(String text, OfferedTools tools) {
        return begins.stream()
                .anyMatch(mark -> text.startsWith(mark)
                        || (text.length() >= AnswerParser.MIN_TORN_MARK && mark.startsWith(text)));
    }

    /** Whether a torn header speaks of calls. */
    boolean callsFrom(String header, OfferedTools tools) {
        return begins.stream().anyMatch(header::startsWith)
                && message(header, "").kind() == Kind.CALLS;
    }

    /**
     * What a header says.
     *
     * @param header the text before the mark that ends it
     * @param behind that mark, empty where the header is torn
     */
    abstract Header message(String header, String behind);

    /** Whether no other role is named. */
    private static boolean isOfAssistant(String header, String before) {
        String role = word(header, before);
        return role.isEmpty() || role.equals("assistant") || role.startsWith("to=");
    }

    /** What follows the last occurrence of a mark, up to white space or another mark; empty where it does not occur. */
    private static String word(String header, String mark) {
        int from = header.lastIndexOf(mark);
        if (from < 0) {
            return "";
        }
        int end = from + mark.length();
        while (end < header.length() && !Character.isWhitespace(header.charAt(end)) && header.charAt(end) != '<') {
            end++;
        }
        return header.substring(from + mark.length(), end);
    }

    private static boolean isOfName(int c) {
        return Character.isLetterOrDigit(c) || "_.-".indexOf(c) >= 0;
    }
}
