package org.bloomery.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.bloomery.engine.chat.AnswerParser;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.engine.tokenizer.Tokenizer;
import org.junit.jupiter.api.Test;

class AnswerTest {

    /** A vocabulary whose marks are control tokens. */
    private static final List<String> CONTROL =
            List.of("<s>", "</s>", "[THINK]", "[/THINK]", "[TOOL_CALLS]", "[ARGS]", "[INST]");

    private static final List<String> TEXT = List.of("hm", "Yes", "now", "{}");

    @Test
    void readsMarksThatAreControlTokensAndDropsOtherControlTokens() {
        Completion completion = complete(
                List.of(new ToolSpec("now", "", "{}")),
                "[INST]",
                "[THINK]",
                "hm",
                "[INST]",
                "[/THINK]",
                "Yes",
                "[/THINK]",
                "[TOOL_CALLS]",
                "now",
                "[ARGS]",
                "[INST]",
                "{}");
        assertThat(completion.reasoning()).isEqualTo("hm");
        assertThat(completion.text()).isEqualTo("Yes");
        assertThat(completion.toolCalls()).containsExactly(new ToolCall("id", "now", "{}"));
        assertThat(completion.finishReason()).isEqualTo(FinishReason.TOOL_CALLS);
    }

    @Test
    void dropsMarksOfToolCallsWhereNoneAreOffered() {
        Completion completion = complete(List.of(), "Yes", "[TOOL_CALLS]", "now");
        assertThat(completion.text()).isEqualTo("Yesnow");
        assertThat(completion.toolCalls()).isEmpty();
    }

    @Test
    void aCallThatCannotBeReadIsLoggedWithoutItsText() {
        List<LogRecord> logged = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord logRecord) {
                logged.add(logRecord);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger(Answer.class.getName());
        logger.addHandler(handler);
        try {
            Completion completion =
                    complete(List.of(new ToolSpec("now", "", "{}")), "[TOOL_CALLS]", "now", "[ARGS]", "Yes");
            assertThat(completion.toolCalls()).isEmpty();
        } finally {
            logger.removeHandler(handler);
        }
        assertThat(logged).singleElement().satisfies(each -> {
            assertThat(each.getLevel()).isEqualTo(Level.WARNING);
            String message = new SimpleFormatter().formatMessage(each);
            assertThat(message).contains("request 1 ").containsPattern("of [0-9]+ characters");
            assertThat(message).doesNotContain("Yes").doesNotContain("now");
        });
    }

    private static Completion complete(List<ToolSpec> tools, String... tokens) {
        Vocabulary vocabulary = new Vocabulary();
        Answer answer = new Answer(
                "1",
                new AnsweringModel(
                        new ModelInfo("test", "none", 1, "F32", 1, 8, 8, 8, true, null), CompletableFuture::new),
                vocabulary,
                new StopStrings(List.of()),
                AnswerParser.of("[THINK] [TOOL_CALLS]", tools, List.of(TextSpan.trusted("prompt")), () -> "id"),
                ReasoningLimit.NONE,
                GenerationSink.NONE,
                new EngineListener() {},
                EngineListener.Operation.CHAT,
                1,
                System.nanoTime());
        for (String token : tokens) {
            answer.token(vocabulary.idOf(token), List.of());
        }
        answer.finished(FinishReason.STOP);
        return answer.await();
    }

    private static final class Vocabulary implements Tokenizer {

        @Override
        public int vocabSize() {
            return CONTROL.size() + TEXT.size();
        }

        @Override
        public int[] encode(List<TextSpan> spans, boolean addSpecial) {
            throw new UnsupportedOperationException();
        }

        @Override
        public byte[] bytes(int token) {
            return isControl(token) ? new byte[0] : spelling(token).getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public String spelling(int token) {
            return isControl(token) ? CONTROL.get(token) : TEXT.get(token - CONTROL.size());
        }

        @Override
        public int idOf(String spelling) {
            int control = CONTROL.indexOf(spelling);
            return control >= 0 ? control : CONTROL.size() + TEXT.indexOf(spelling);
        }

        @Override
        public boolean isControl(int token) {
            return token < CONTROL.size();
        }

        @Override
        public boolean isEndOfGeneration(int token) {
            return token == 1;
        }

        @Override
        public int bosToken() {
            return 0;
        }

        @Override
        public int eosToken() {
            return 1;
        }

        @Override
        public boolean addsBos() {
            return true;
        }
    }
}
