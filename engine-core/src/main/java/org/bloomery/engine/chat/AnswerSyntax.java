package org.bloomery.engine.chat;

import java.util.List;
import org.bloomery.engine.TextSpan;

/**
 * How a model's answers mark what is not plain text. Add a family of models by adding a constant to one of the enums and
 * its case where {@link AnswerParser} reads it.
 *
 * @param reasoning how thinking is marked
 * @param toolCalls how calls are marked
 */
record AnswerSyntax(Reasoning reasoning, ToolCalls toolCalls) {

    static final AnswerSyntax PLAIN = new AnswerSyntax(Reasoning.NONE, ToolCalls.NONE);

    /** How thinking is marked. */
    enum Reasoning {
        NONE("", ""),
        /** DeepSeek, Qwen and many others. */
        THINK("<think>", "</think>");

        private final String open;
        private final String close;

        Reasoning(String open, String close) {
            this.open = open;
            this.close = close;
        }

        String open() {
            return open;
        }

        String close() {
            return close;
        }
    }

    /** How calls are marked. */
    enum ToolCalls {
        NONE("", ""),
        /** A JSON object with name and arguments between tags: Hermes, Qwen. */
        HERMES("<tool_call>", "</tool_call>");

        private final String open;
        private final String close;

        ToolCalls(String open, String close) {
            this.open = open;
            this.close = close;
        }

        String open() {
            return open;
        }

        String close() {
            return close;
        }
    }

    /** The syntax that a template's text speaks of. */
    static AnswerSyntax of(String template) {
        return new AnswerSyntax(
                template.contains(Reasoning.THINK.close()) || template.contains(Reasoning.THINK.open())
                        ? Reasoning.THINK
                        : Reasoning.NONE,
                template.contains(ToolCalls.HERMES.open()) ? ToolCalls.HERMES : ToolCalls.NONE);
    }

    /** Whether a prompt ends with the mark that begins the reasoning. */
    boolean opensReasoning(List<TextSpan> prompt) {
        return reasoning != Reasoning.NONE
                && !prompt.isEmpty()
                && prompt.getLast().trusted()
                && prompt.getLast().text().stripTrailing().endsWith(reasoning.open());
    }
}
