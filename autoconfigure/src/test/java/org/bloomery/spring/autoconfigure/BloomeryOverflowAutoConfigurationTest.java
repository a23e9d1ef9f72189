package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.spring.audit.Canary;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.bloomery.spring.overflow.CompletionsServer;
import org.bloomery.spring.overflow.OverflowInterceptor;
import org.bloomery.spring.overflow.OverflowPolicy;
import org.bloomery.spring.security.InferenceRequest;
import org.bloomery.spring.security.PromptBlockedException;
import org.bloomery.spring.security.PromptGuard;
import org.bloomery.spring.security.Verdict;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationDeniedException;
import org.springframework.security.authorization.AuthorizationManager;

/** Overflow to a server of OpenAI's protocol in this JVM, over HTTP and with Spring AI's own client. */
@Timeout(300)
class BloomeryOverflowAutoConfigurationTest {

    private static final String CANARY = Canary.TEXT;
    private static final String LONG = "Tell me more, " + CANARY + ". ".repeat(400);

    @TempDir
    Path folder = Path.of("");

    private final CompletionsServer server;
    private final ApplicationContextRunner context;
    private final ApplicationContextRunner open;

    BloomeryOverflowAutoConfigurationTest() throws IOException {
        server = new CompletionsServer();
        context = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        BloomeryChatAutoConfiguration.class,
                        BloomerySecurityAutoConfiguration.class,
                        BloomeryGuardAutoConfiguration.class,
                        BloomeryAuditAutoConfiguration.class,
                        BloomeryResilienceAutoConfiguration.class,
                        BloomeryOverflowAutoConfiguration.class,
                        ToolCallingAutoConfiguration.class,
                        ChatClientAutoConfiguration.class))
                .withBean("cluster", OpenAiChatModel.class, () -> server.client("none", ObservationRegistry.NOOP))
                .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
                .withPropertyValues(
                        "bloomery.chat.model=" + Objects.requireNonNull(System.getProperty("bloomery.demo.model")),
                        "bloomery.chat.temperature=0",
                        "bloomery.chat.max-tokens=8",
                        "bloomery.engine.context-length=128",
                        "bloomery.overflow.model=cluster");
        open = context.withPropertyValues("bloomery.overflow.policy=all");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static double overflows(MeterRegistry meters, String outcome, String reason) {
        return meters.get("bloomery.overflow")
                .tags("outcome", outcome, "reason", reason)
                .counter()
                .count();
    }

    private static @Nullable Object mark(ChatResponse response) {
        return response.getMetadata().get(BloomeryChatModel.OVERFLOW);
    }

    private static List<ChatResponse> stream(ChatModel model, String prompt) {
        return Objects.requireNonNull(
                model.stream(new Prompt(prompt)).collectList().block());
    }

    private static String text(List<ChatResponse> pieces) {
        StringBuilder text = new StringBuilder();
        pieces.forEach(piece -> text.append(
                Objects.requireNonNull(piece.getResult()).getOutput().getText()));
        return text.toString();
    }

    @Test
    void withoutAPolicyNothingLeaves() {
        context.run(started -> {
            ChatModel model = started.getBean(ChatModel.class);
            assertThatThrownBy(() -> model.call(LONG)).isInstanceOf(ContextLengthExceededException.class);
            assertThatThrownBy(() -> stream(model, LONG)).isInstanceOf(ContextLengthExceededException.class);
            started.getBean(Engine.class).close();
            assertThatThrownBy(() -> model.call(CANARY)).isInstanceOf(EngineClosedException.class);
            assertThat(server.requests).isEmpty();
            MeterRegistry meters = started.getBean(MeterRegistry.class);
            assertThat(overflows(meters, "denied", "too-large")).isEqualTo(2);
            assertThat(overflows(meters, "denied", "unavailable")).isEqualTo(1);
        });
    }

    @Test
    void whatTheEngineAnswersStaysHere() {
        open.run(started -> {
            ChatResponse response = started.getBean(ChatModel.class).call(new Prompt("Hello"));
            assertThat(mark(response)).isNull();
            assertThat(server.requests).isEmpty();
        });
    }

    @Test
    void aCallThatIsTooLargeIsAnsweredByTheOtherModel() {
        open.run(started -> {
            ChatResponse response = started.getBean(ChatModel.class)
                    .call(new Prompt(
                            LONG,
                            BloomeryChatOptions.builder()
                                    .temperature(0.5)
                                    .maxTokens(33)
                                    .stopSequences(List.of("END"))
                                    .build()));
            assertThat(Objects.requireNonNull(response.getResult()).getOutput().getText())
                    .isEqualTo("From the cluster");
            assertThat(response.getResult().getMetadata().getFinishReason()).isEqualTo("STOP");
            assertThat(response.getMetadata().getModel()).isEqualTo("big-model");
            assertThat(mark(response)).isEqualTo(true);
            assertThat(response.getMetadata().getUsage().getTotalTokens()).isEqualTo(8);
            var sent = server.requests.getFirst();
            assertThat(sent.path("model").asString()).isEqualTo("big-model");
            assertThat(sent.path("temperature").asDouble()).isEqualTo(0.5);
            assertThat(sent.path("max_tokens").asInt()).isEqualTo(33);
            assertThat(sent.path("stop").toString()).contains("END");
            assertThat(sent.path("messages").toString()).contains(CANARY);
            assertThat(overflows(started.getBean(MeterRegistry.class), "answered", "too-large"))
                    .isEqualTo(1);
        });
    }

    @Test
    void aStreamOverflowsPieceByPiece() {
        open.run(started -> {
            List<ChatResponse> pieces = stream(started.getBean(ChatModel.class), LONG);
            assertThat(pieces).hasSize(4);
            assertThat(text(pieces)).isEqualTo("From the cluster");
            assertThat(pieces).allSatisfy(piece -> {
                assertThat(mark(piece)).isEqualTo(true);
                assertThat(piece.getMetadata().getModel()).isEqualTo("big-model");
                assertThat(piece.getMetadata().getId())
                        .isEqualTo(pieces.getLast().getMetadata().getId());
            });
            assertThat(Objects.requireNonNull(pieces.getLast().getResult())
                            .getMetadata()
                            .getFinishReason())
                    .isEqualTo("STOP");
        });
    }

    @Test
    void aClosedEngineAndAFullBulkheadOverflowToo() {
        BulkheadRegistry registry = BulkheadRegistry.of(
                BulkheadConfig.custom().maxConcurrentCalls(1).build());
        open.withBean(BulkheadRegistry.class, () -> registry)
                .withPropertyValues("bloomery.resilience.bulkhead=room")
                .run(started -> {
                    Bulkhead bulkhead = registry.bulkhead("room");
                    ChatModel model = started.getBean(ChatModel.class);
                    bulkhead.acquirePermission();
                    assertThat(model.call("Hello")).isEqualTo("From the cluster");
                    bulkhead.onComplete();
                    started.getBean(Engine.class).close();
                    assertThat(model.call("Hello")).isEqualTo("From the cluster");
                    MeterRegistry meters = started.getBean(MeterRegistry.class);
                    assertThat(overflows(meters, "answered", "refused")).isEqualTo(1);
                    assertThat(overflows(meters, "answered", "unavailable")).isEqualTo(1);
                });
    }

    @Test
    void onlyTheNamedReasonsOverflow() {
        open.withPropertyValues("bloomery.overflow.when=unavailable").run(started -> {
            ChatModel model = started.getBean(ChatModel.class);
            assertThatThrownBy(() -> model.call(LONG)).isInstanceOf(ContextLengthExceededException.class);
            assertThat(server.requests).isEmpty();
            started.getBean(Engine.class).close();
            assertThat(model.call("Hello")).isEqualTo("From the cluster");
        });
    }

    @Test
    void aPolicyOfOnesOwnDecidesByPromptAndCaller() {
        OverflowPolicy noZebras = (prompt, caller) ->
                !prompt.getContents().contains(CANARY) && caller.principal().equals("anonymous");
        context.withBean("noZebras", OverflowPolicy.class, () -> noZebras)
                .withPropertyValues("bloomery.overflow.policy=noZebras")
                .run(started -> {
                    ChatModel model = started.getBean(ChatModel.class);
                    assertThatThrownBy(() -> model.call(LONG)).isInstanceOf(ContextLengthExceededException.class);
                    assertThat(server.requests).isEmpty();
                    assertThat(model.call(LONG.replace(CANARY, "please"))).isEqualTo("From the cluster");
                });
    }

    @Test
    void guardsAndAuditAreBeforeWhatLeavesAndBehindWhatComesBack() {
        Path file = folder.resolve("audit.jsonl");
        server.pieces = List.of("Write to bob@exa", "mple.com");
        open.withPropertyValues(
                        "bloomery.guards.pii=true", "bloomery.audit.enabled=true", "bloomery.audit.file=" + file)
                .run(started -> {
                    ChatModel model = started.getBean(ChatModel.class);
                    String prompt = "I am ada@example.com. " + LONG;
                    assertThat(model.call(prompt)).isEqualTo("Write to [EMAIL]");
                    assertThat(text(stream(model, prompt))).isEqualTo("Write to [EMAIL]");
                    assertThat(server.requests)
                            .hasSize(2)
                            .allSatisfy(request -> assertThat(
                                            request.path("messages").toString())
                                    .contains("I am [EMAIL]")
                                    .doesNotContain("ada@"));
                    assertThat(Files.readAllLines(file))
                            .hasSize(2)
                            .allSatisfy(line -> assertThat(line)
                                    .contains(
                                            "\"outcome\":\"COMPLETED\"",
                                            "\"guard\":\"overflow\"",
                                            "\"action\":\"LEAVE\",\"reason\":\"too-large\""));
                });
    }

    @Test
    void whatIsBlockedOrNotAuthorisedDoesNotLeave() {
        PromptGuard guard = (role, text) -> text.contains(CANARY) ? Verdict.block("zebras") : Verdict.ALLOW;
        open.withBean(PromptGuard.class, () -> guard).run(started -> {
            started.getBean(Engine.class).close();
            assertThatThrownBy(() -> started.getBean(ChatModel.class).call(CANARY))
                    .isInstanceOf(PromptBlockedException.class);
        });
        open.withBean(Nobody.class).run(started -> {
            started.getBean(Engine.class).close();
            assertThatThrownBy(() -> started.getBean(ChatModel.class).call("Hello"))
                    .isInstanceOf(AuthorizationDeniedException.class);
        });
        assertThat(server.requests).isEmpty();
    }

    static final class Nobody implements AuthorizationManager<InferenceRequest> {
        @Override
        public AuthorizationDecision authorize(
                java.util.function.Supplier<? extends org.springframework.security.core.Authentication> caller,
                InferenceRequest wanted) {
            return new AuthorizationDecision(false);
        }
    }

    @Test
    void whereTheOtherModelFailsTheCallerGetsTheEnginesOwnFailure() {
        for (CompletionsServer.Conduct conduct :
                List.of(CompletionsServer.Conduct.FAILS, CompletionsServer.Conduct.NEVER_ANSWERS)) {
            server.conduct = conduct;
            open.run(started -> {
                ChatModel model = started.getBean(ChatModel.class);
                assertThatThrownBy(() -> model.call(LONG))
                        .isInstanceOf(ContextLengthExceededException.class)
                        .satisfies(error -> assertThat(error.getSuppressed()).isNotEmpty());
                assertThatThrownBy(() -> stream(model, LONG)).isInstanceOf(ContextLengthExceededException.class);
                assertThat(overflows(started.getBean(MeterRegistry.class), "failed", "too-large"))
                        .isEqualTo(2);
            });
        }
    }

    @Test
    void anAnswerThatBreaksOffFailsAsItself() {
        server.conduct = CompletionsServer.Conduct.BREAKS_OFF;
        open.run(started -> assertThatThrownBy(() -> stream(started.getBean(ChatModel.class), LONG))
                .isInstanceOf(EngineException.class)
                .isNotInstanceOf(EngineOverloadedException.class)
                .hasMessageContaining("broke off its answer after 16 characters"));
    }

    @Test
    void bloomerysModelIsTheOneThatIsInjected() {
        open.run(started -> {
            assertThat(started.getBean(ChatModel.class)).isInstanceOf(BloomeryChatModel.class);
            assertThat(started.getBean(ChatClient.Builder.class)
                            .build()
                            .prompt(LONG)
                            .call()
                            .content())
                    .isEqualTo("From the cluster");
        });
    }

    @Test
    void anotherProviderThatIsSelectedIsUsedAlone() {
        open.withPropertyValues("spring.ai.model.chat=openai")
                .run(started -> assertThat(started)
                        .doesNotHaveBean(OverflowInterceptor.class)
                        .hasSingleBean(ChatModel.class));
    }

    @Test
    void namesThatAreNoBeansStopTheStart() {
        context.withPropertyValues("bloomery.overflow.model=bloomeryChatModel")
                .run(started -> assertThat(started)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(InvalidOptionException.class)
                        .hasMessageContaining("bloomery.overflow.model")
                        .hasMessageContaining("there is cluster"));
        context.withPropertyValues("bloomery.overflow.policy=some")
                .run(started -> assertThat(started)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(InvalidOptionException.class)
                        .hasMessageContaining("bloomery.overflow.policy"));
        context.withPropertyValues("bloomery.overflow.when=")
                .run(started ->
                        assertThat(started).getFailure().rootCause().hasMessageContaining("bloomery.overflow.when"));
    }
}
