package org.bloomery.engine.chat;

import java.util.List;
import java.util.function.Supplier;
import org.bloomery.engine.TextSpan;
import org.bloomery.engine.chat.AnswerSyntax.Reasoning;
import org.bloomery.engine.chat.AnswerSyntax.ToolCalls;
import org.bloomery.engine.grammar.Shape;
import org.jspecify.annotations.Nullable;

/**
 * One turn of the assistant: the prompt before it, and what is known of the answer to come. Immutable.
 *
 * @see ChatFormat#turn
 */
public final class ChatTurn {

    private final List<TextSpan> prompt;
    private final AnswerSyntax syntax;
    private final List<ToolSpec> tools;
    private final ToolChoice choice;
    private final Thinking thinking;
    /** Whether the prompt ends within reasoning. */
    private final boolean thinks;

    /** @param tools those that are offered, checked; empty where none are */
    ChatTurn(List<TextSpan> prompt, AnswerSyntax syntax, List<ToolSpec> tools, ToolChoice choice, Thinking thinking) {
        this.prompt = List.copyOf(prompt);
        this.syntax = syntax;
        this.tools = List.copyOf(tools);
        this.choice = choice;
        this.thinking = thinking;
        this.thinks = syntax.opensReasoning(prompt);
    }

    /** The prompt, up to where the answer begins. */
    public List<TextSpan> prompt() {
        return prompt;
    }

    /** What the answer begins with whatever the model would like: the mark that begins reasoning, or nothing. */
    public String beginning() {
        return thinking.mode() == Thinking.Mode.ON && !thinks && framing().equals(Framing.NONE)
                ? syntax.reasoning().open() + "\n"
                : "";
    }

    /** What ends reasoning that has gone on for too long. */
    public String reasoningEnd() {
        return framing().equals(Framing.NONE)
                ? "\n" + syntax.reasoning().close() + "\n\n"
                : framing().reasoningEnd();
    }

    /** Most tokens of reasoning, or -1 for no limit. */
    public int reasoningLimit() {
        return syntax.thinks() ? thinking.limit() : -1;
    }

    /**
     * What the answer is held to, or null where it may be anything.
     *
     * @param constrained whether the answer has a constraint, whose place {@link Shape#ANSWER} marks
     */
    public @Nullable Shape shape(boolean constrained) {
        Framing framing = framing();
        if (!framing.equals(Framing.NONE)) {
            Shape content = constrained ? Shape.ANSWER : framing.plainText();
            Shape calls = tools.isEmpty() ? null : syntax.toolCalls().calls(tools);
            return calls == null && !constrained
                    ? null
                    : framing.answer(content, calls, choice.demandsCall(), constrained);
        }
        Shape reasoning = reasoning(constrained);
        if (tools.isEmpty()) {
            return constrained ? Shape.sequence(reasoning, Shape.ANSWER) : null;
        }
        ToolCalls family = syntax.toolCalls();
        Shape calls = family.calls(tools);
        if (choice.demandsCall()) {
            return Shape.sequence(reasoning, calls);
        }
        if (constrained) {
            return Shape.sequence(reasoning, Shape.oneOf(List.of(Shape.ANSWER, calls)));
        }
        Shape text = family.text();
        Shape more = new Shape.Repeat(Shape.sequence(calls, text), 0, Integer.MAX_VALUE);
        Shape free = Shape.sequence(text, more);
        return Shape.sequence(reasoning, !family.beginning().isEmpty() ? Shape.oneOf(List.of(free, calls)) : free);
    }

    private Framing framing() {
        return syntax.toolCalls().framing();
    }

    private Shape reasoning(boolean constrained) {
        Reasoning marks = syntax.reasoning();
        if (marks == Reasoning.NONE) {
            return Shape.NOTHING;
        }
        Shape rest = Shape.sequence(Shape.without(List.of(marks.close())), Shape.mark(marks.close()), Shape.SPACE);
        if (thinks) {
            return rest;
        }
        Shape whole = Shape.sequence(Shape.SPACE, Shape.mark(marks.open()), rest);
        if (thinking.mode() == Thinking.Mode.ON) {
            return whole;
        }
        // Text that begins like reasoning may belong to a constrained answer
        return constrained ? Shape.NOTHING : Shape.optional(whole);
    }

    /**
     * A parser for the answer.
     *
     * @param ids gives each tool call its id
     * @param constrained as in {@link #shape}
     */
    public AnswerParser parser(Supplier<String> ids, boolean constrained) {
        boolean plain = constrained
                && tools.isEmpty()
                && !thinks
                && beginning().isEmpty()
                && framing().equals(Framing.NONE);
        return plain ? AnswerParser.plainText() : new AnswerParser(syntax, tools, thinks, ids);
    }
}
