package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.bloomery.spring.audit.Canary;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.security.AuthorizationInterceptor;
import org.bloomery.spring.security.GuardInterceptor;
import org.bloomery.spring.security.InvisibleCharacterGuard;
import org.bloomery.spring.security.OutputGuard;
import org.bloomery.spring.security.PiiGuard;
import org.bloomery.spring.security.PiiRedactor;
import org.bloomery.spring.security.PromptBlockedException;
import org.bloomery.spring.security.PromptGuard;
import org.bloomery.spring.security.SecretGuard;
import org.bloomery.spring.security.SystemPromptGuard;
import org.bloomery.spring.security.ToolCallInterceptor;
import org.bloomery.spring.security.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@ExtendWith(OutputCaptureExtension.class)
class BloomeryGuardAutoConfigurationTest {

    private static final String DEMO = Objects.requireNonNull(System.getProperty("bloomery.demo.model"));
    private static final String CANARY = Canary.TEXT;

    @TempDir
    Path folder = Path.of("");

    private final ApplicationContextRunner guards = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    BloomeryChatAutoConfiguration.class,
                    BloomerySecurityAutoConfiguration.class,
                    BloomeryGuardAutoConfiguration.class,
                    BloomeryAuditAutoConfiguration.class));

    private final ApplicationContextRunner context = guards.withPropertyValues(
            "bloomery.chat.model=" + DEMO,
            "bloomery.chat.temperature=0",
            "bloomery.chat.max-tokens=24",
            "bloomery.engine.context-length=512");

    @Configuration(proxyBeanMethods = false)
    static class OwnGuards {
        @Bean
        PromptGuard noZebras() {
            return (role, text) -> text.contains(CANARY) ? Verdict.block("zebras") : Verdict.ALLOW;
        }

        @Bean
        OutputGuard noHelp() {
            return request -> (window, last) -> window.contains("help") ? Verdict.block("help") : Verdict.ALLOW;
        }
    }

    @Test
    void everyGuardIsOffByItself() {
        guards.run(started -> assertThat(started)
                .hasSingleBean(GuardInterceptor.class)
                .doesNotHaveBean(PromptGuard.class)
                .doesNotHaveBean(OutputGuard.class)
                .doesNotHaveBean(PiiRedactor.class));
    }

    @Test
    void aPropertySwitchesEachOn() {
        guards.withPropertyValues("bloomery.guards.pii=true")
                .run(started ->
                        assertThat(started).hasSingleBean(PiiGuard.class).hasSingleBean(PiiRedactor.class));
        guards.withPropertyValues("bloomery.guards.secrets=true")
                .run(started -> assertThat(started).hasSingleBean(SecretGuard.class));
        guards.withPropertyValues("bloomery.guards.system-prompt-leak=true")
                .run(started -> assertThat(started).hasSingleBean(SystemPromptGuard.class));
        guards.withPropertyValues("bloomery.guards.invisible-characters=true")
                .run(started -> assertThat(started).hasSingleBean(InvisibleCharacterGuard.class));
    }

    @Test
    void theyStandInTheirOrder() {
        guards.withPropertyValues(
                        "bloomery.guards.pii=true",
                        "bloomery.guards.secrets=true",
                        "bloomery.guards.invisible-characters=true",
                        "bloomery.guards.nfkc=true")
                .run(started -> assertThat(started.getBeanProvider(PromptGuard.class)
                                .orderedStream()
                                .map(PromptGuard::name))
                        .containsExactly("invisible-characters", "secrets", "pii"));
    }

    @Test
    void valuesOutOfRangeStopTheStart() {
        guards.withPropertyValues("bloomery.guards.hold-back=63")
                .run(started -> assertThat(started)
                        .getFailure()
                        .rootCause()
                        .hasMessage("Property 'bloomery.guards.hold-back' is 63; it must be 64 to 65536."));
        for (String timeout : List.of("0", "-1s", "61m")) {
            guards.withPropertyValues("bloomery.guards.timeout=" + timeout)
                    .run(started -> assertThat(started)
                            .getFailure()
                            .rootCause()
                            .hasMessageMatching("Property 'bloomery.guards.timeout' is .+; it must be 1ms to 1h\\."));
        }
        guards.withPropertyValues("bloomery.guards.nfkc=true")
                .run(started -> assertThat(started)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("'bloomery.guards.invisible-characters' is false"));
    }

    @Test
    void ownGuardsBlockPromptsAndAnswersAndTheRecordSaysSo(CapturedOutput output) {
        Path file = folder.resolve("audit.jsonl");
        context.withUserConfiguration(OwnGuards.class)
                .withPropertyValues("bloomery.audit.enabled=true", "bloomery.audit.file=" + file)
                .run(started -> {
                    ChatModel model = started.getBean(ChatModel.class);
                    assertThat(started.getBeanProvider(GenerationInterceptor.class)
                                    .orderedStream()
                                    .toList())
                            .hasExactlyElementsOfTypes(
                                    AuthorizationInterceptor.class, ToolCallInterceptor.class, GuardInterceptor.class);
                    assertThatThrownBy(() -> model.call("I saw a " + CANARY))
                            .isInstanceOf(PromptBlockedException.class)
                            .hasMessageNotContaining(CANARY);
                    ChatResponse response = model.call(new Prompt("Hello"));
                    assertThat(Objects.requireNonNull(response.getResult())
                                    .getMetadata()
                                    .getFinishReason())
                            .isEqualTo("GUARD");
                    assertThat(response.getResult().getOutput().getText()).isEmpty();
                    List<ChatResponse> stream = Objects.requireNonNull(
                            model.stream(new Prompt("Hello")).collectList().block());
                    assertThat(Objects.requireNonNull(stream.getLast().getResult())
                                    .getMetadata()
                                    .getFinishReason())
                            .isEqualTo("GUARD");

                    List<String> lines = Files.readAllLines(file);
                    assertThat(lines).hasSize(3);
                    assertThat(lines.get(0))
                            .contains(
                                    "\"outcome\":\"REFUSED\"",
                                    "\"error\":\"PromptBlockedException\"",
                                    "\"reason\":\"zebras\"")
                            .doesNotContain(CANARY);
                    assertThat(lines.get(1))
                            .contains(
                                    "\"finishReason\":\"GUARD\"",
                                    "\"stage\":\"output\",\"action\":\"BLOCK\",\"reason\":\"help\"");
                    assertThat(output).doesNotContain(CANARY);
                });
    }

    @Configuration(proxyBeanMethods = false)
    static class HangingGuard {
        @Bean
        PromptGuard hanging() {
            return (role, text) -> {
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return Verdict.ALLOW;
            };
        }
    }

    @Test
    void theRecordSaysThatAGuardDidNotEnd(CapturedOutput output) {
        Path file = folder.resolve("audit.jsonl");
        context.withUserConfiguration(HangingGuard.class)
                .withPropertyValues(
                        "bloomery.guards.timeout=50ms", "bloomery.audit.enabled=true", "bloomery.audit.file=" + file)
                .run(started -> {
                    ChatModel model = started.getBean(ChatModel.class);
                    assertThatThrownBy(() -> model.call("I saw a " + CANARY))
                            .isInstanceOf(PromptBlockedException.class)
                            .hasMessageContaining("within 50 ms")
                            .hasMessageNotContaining(CANARY);
                    assertThatThrownBy(() -> model.stream(new Prompt("I saw a " + CANARY))
                                    .blockLast())
                            .isInstanceOf(PromptBlockedException.class);
                    assertThat(Files.readAllLines(file))
                            .hasSize(2)
                            .allSatisfy(line -> assertThat(line)
                                    .contains(
                                            "\"outcome\":\"REFUSED\"",
                                            "\"action\":\"BLOCK\",\"reason\":\"guard-timeout\""));
                    assertThat(output)
                            .contains("did not judge a text within 50 ms")
                            .doesNotContain(CANARY);
                });
    }

    @Test
    void theContentOfRecordsIsRedactedToo() {
        Path file = folder.resolve("audit.jsonl");
        context.withPropertyValues(
                        "bloomery.guards.pii=true",
                        "bloomery.audit.enabled=true",
                        "bloomery.audit.content=true",
                        "bloomery.audit.file=" + file)
                .run(started -> {
                    started.getBean(ChatModel.class).call("I am ada@example.com");
                    assertThat(Files.readString(file))
                            .contains("I am [EMAIL]", "\"reason\":\"personal-data\"")
                            .doesNotContain("ada@example.com");
                });
    }
}
