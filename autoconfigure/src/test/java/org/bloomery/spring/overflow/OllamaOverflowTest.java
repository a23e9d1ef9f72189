package org.bloomery.spring.overflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.chat.ChatMessage;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.ollama.OllamaChatModel;
import org.springframework.ai.ollama.api.OllamaApi;
import org.springframework.ai.ollama.api.OllamaChatOptions;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.ollama.OllamaContainer;

/** Overflow to Ollama in a container. Skipped where there is no Docker; the model is fetched by the container. */
@Testcontainers(disabledWithoutDocker = true)
class OllamaOverflowTest {

    private static final String MODEL = "smollm2:135m";

    @Container
    private static final OllamaContainer OLLAMA = new OllamaContainer("ollama/ollama:0.12.0");

    @BeforeAll
    static void pull() throws IOException, InterruptedException {
        assertThat(OLLAMA.execInContainer("ollama", "pull", MODEL).getExitCode())
                .isZero();
    }

    @Test
    void anOllamaAnswersWhatTheEngineRefuses() {
        OllamaChatModel model = OllamaChatModel.builder()
                .ollamaApi(OllamaApi.builder().baseUrl(OLLAMA.getEndpoint()).build())
                .options(OllamaChatOptions.builder().model(MODEL).build())
                .build();
        OverflowInterceptor overflow = new OverflowInterceptor(
                new OverflowInterceptor.Target("ollama", model),
                EnumSet.allOf(OverflowReason.class),
                OverflowPolicy.ALL,
                () -> "ada",
                () -> "acme",
                List.of());
        Completion completion = overflow.submit(
                        new ChatRequest(
                                List.of(ChatMessage.user("Say hello.")), GenerationOptions.DEFAULT.withMaxTokens(16)),
                        GenerationSink.NONE,
                        (request, sink) -> {
                            throw new EngineOverloadedException("full");
                        })
                .await();
        assertThat(completion.text()).isNotBlank();
        assertThat(completion.usage().completionTokens()).isPositive();
    }
}
