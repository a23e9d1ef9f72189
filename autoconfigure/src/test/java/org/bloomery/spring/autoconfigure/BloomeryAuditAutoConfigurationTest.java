package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.audit.AuditException;
import org.bloomery.engine.audit.AuditRecord;
import org.bloomery.engine.audit.AuditVerifier;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.store.ModelDigest;
import org.bloomery.spring.audit.AuditEventSink;
import org.bloomery.spring.audit.AuditRecorder;
import org.bloomery.spring.audit.Canary;
import org.bloomery.spring.audit.InferenceAuditSink;
import org.bloomery.spring.audit.JsonLinesAuditSink;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.TenantResolver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.boot.actuate.audit.AuditEvent;
import org.springframework.boot.actuate.audit.AuditEventRepository;
import org.springframework.boot.actuate.audit.InMemoryAuditEventRepository;
import org.springframework.boot.actuate.audit.listener.AuditApplicationEvent;
import org.springframework.boot.actuate.audit.listener.AuditListener;
import org.springframework.boot.actuate.endpoint.SanitizableData;
import org.springframework.boot.actuate.endpoint.Sanitizer;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.core.context.SecurityContextHolder;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BloomeryAuditAutoConfigurationTest {

    private static final String DEMO = Objects.requireNonNull(System.getProperty("bloomery.demo.model"));
    private static final String CANARY = Canary.TEXT;

    @TempDir
    Path folder = Path.of("");

    private final ApplicationContextRunner context = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    BloomeryChatAutoConfiguration.class,
                    BloomerySecurityAutoConfiguration.class,
                    BloomeryAuditAutoConfiguration.class))
            .withPropertyValues(
                    "bloomery.chat.model=" + DEMO,
                    "bloomery.chat.temperature=0",
                    "bloomery.chat.max-tokens=8",
                    "bloomery.engine.context-length=256");

    @AfterEach
    void forgetCaller() {
        SecurityContextHolder.clearContext();
    }

    private Path file() {
        return folder.resolve("audit.jsonl");
    }

    private ApplicationContextRunner withFile(String... properties) {
        return context.withPropertyValues(
                        "bloomery.audit.enabled=true", "bloomery.audit.file=" + file(), "bloomery.audit.fsync=never")
                .withPropertyValues(properties);
    }

    private List<JsonNode> records() {
        assertThat(AuditVerifier.verify(file(), null).intact()).isTrue();
        try (Stream<String> lines = Files.lines(file())) {
            return lines.map(line -> Objects.requireNonNull(
                            JsonMapper.shared().readTree(line).get("record")))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Repository {
        @Bean
        AuditEventRepository repository() {
            return new InMemoryAuditEventRepository();
        }

        @Bean
        AuditListener listener(AuditEventRepository repository) {
            return new AuditListener(repository);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnSink {
        final List<AuditRecord> kept = new CopyOnWriteArrayList<>();

        @Bean
        InferenceAuditSink ownSink() {
            return kept::add;
        }

        @Bean
        List<AuditRecord> kept() {
            return kept;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class FailingSink {
        @Bean
        InferenceAuditSink failingSink() {
            return record -> {
                throw new IllegalStateException("full of " + CANARY);
            };
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnTenant {
        @Bean
        TenantResolver tenants() {
            return () -> "analytical engines";
        }
    }

    /** As another starter defines one; by its name it comes after ours. */
    @AutoConfiguration
    static class OtherSinkAutoConfiguration {
        static final List<AuditRecord> KEPT = new CopyOnWriteArrayList<>();

        @Bean
        InferenceAuditSink otherSink() {
            return KEPT::add;
        }
    }

    @Test
    void aSinkOfAnotherAutoConfigurationGetsRecords() {
        context.withConfiguration(AutoConfigurations.of(OtherSinkAutoConfiguration.class))
                .run(started -> started.getBean(ChatModel.class).call("Hello"));
        assertThat(OtherSinkAutoConfiguration.KEPT).hasSize(1);
    }

    @Test
    void withoutASinkThereIsNoInterceptor() {
        context.run(started -> assertThat(started)
                .hasSingleBean(BloomeryAuditProperties.class)
                .doesNotHaveBean(InferenceAuditSink.class)
                .doesNotHaveBean(AuditRecorder.class));
    }

    @Test
    void everyRequestIsOneLineWithoutItsText() {
        SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken("ada", "", "USER"));
        withFile().run(started -> {
            assertThat(started).hasSingleBean(JsonLinesAuditSink.class).hasSingleBean(AuditRecorder.class);
            ChatModel model = started.getBean(ChatModel.class);
            String answer = Objects.requireNonNull(model.call("Hello " + CANARY));
            assertThat(model.stream(new Prompt("Hello " + CANARY)).collectList().block())
                    .isNotEmpty();
            assertThatThrownBy(() -> model.call((CANARY + " ").repeat(400)))
                    .isInstanceOf(ContextLengthExceededException.class);

            List<JsonNode> records = records();
            assertThat(records).hasSize(3);
            JsonNode called = records.getFirst();
            assertThat(called.path("principal").asString()).isEqualTo("ada");
            assertThat(called.path("tenant").asString()).isEqualTo("ada");
            assertThat(called.path("outcome").asString()).isEqualTo("COMPLETED");
            assertThat(called.path("modelDigest").asString())
                    .isEqualTo(ModelDigest.of(Path.of(DEMO)).sha256());
            assertThat(called.path("templateHash").asString()).hasSize(64);
            assertThat(called.path("promptTokens").asInt()).isPositive();
            assertThat(called.path("options").path("maxTokens").asInt()).isEqualTo(8);
            assertThat(called.path("answer").path("characters").asInt()).isEqualTo(answer.length());
            JsonNode streamed = records.get(1);
            assertThat(streamed.path("answer")).isEqualTo(called.path("answer"));
            assertThat(streamed.path("request").asString())
                    .isNotEqualTo(called.path("request").asString());
            assertThat(records.get(2).path("outcome").asString()).isEqualTo("REFUSED");
            assertThat(records.get(2).path("error").asString()).isEqualTo("ContextLengthExceededException");
            assertThat(Files.readString(file())).doesNotContain(CANARY).doesNotContain(answer);
        });
    }

    @Test
    void aRecordIsKeptWithoutTheDigestOfAFileThatIsGone() throws IOException {
        Path model = Files.copy(Path.of(DEMO), folder.resolve("model.gguf"));
        Engine engine = Engine.open(
                EngineOptions.builder(model)
                        .contextLength(256)
                        .loadMode(LoadMode.COPY)
                        .build(),
                LoadProgress.NONE);
        Files.delete(model);
        withFile().withBean(Engine.class, () -> engine).run(started -> {
            started.getBean(ChatModel.class).call("Hello");
            JsonNode called = records().getFirst();
            assertThat(called.path("outcome").asString()).isEqualTo("COMPLETED");
            assertThat(called.path("model").asString()).isEqualTo(engine.model().name());
            assertThat(called.path("modelDigest").isString()).isFalse();
        });
    }

    @Test
    void contentIsThereWhereItIsAskedFor() {
        withFile("bloomery.audit.content=true").run(started -> {
            String answer =
                    Objects.requireNonNull(started.getBean(ChatModel.class).call("Hello " + CANARY));
            JsonNode called = records().getFirst();
            assertThat(called.path("prompt").path("text").asString()).isEqualTo("user: Hello " + CANARY + "\n");
            assertThat(called.path("answer").path("text").asString()).isEqualTo(answer);
        });
    }

    @Test
    void anHmacIsTheSameWhereverTheKeyIs() {
        String[] hmacs = new String[3];
        for (int i = 0; i < 3; i++) {
            String key = i < 2 ? "0123456789abcdef" : "fedcba9876543210";
            withFile("bloomery.audit.hmac-key=" + key)
                    .run(started -> started.getBean(ChatModel.class).call("Hello"));
            hmacs[i] = records().getLast().path("prompt").path("hmac").asString();
        }
        assertThat(hmacs[0]).isEqualTo(hmacs[1]).isNotEqualTo(hmacs[2]);
    }

    @Test
    void theChainGoesOnInTheNextStart() {
        for (int i = 0; i < 2; i++) {
            withFile().run(started -> started.getBean(ChatModel.class).call("Hello"));
        }
        assertThat(records()).hasSize(2);
    }

    @Test
    void anAuditEventRepositoryGetsEventsWithoutText() {
        context.withUserConfiguration(Repository.class)
                .withPropertyValues("bloomery.audit.content=true")
                .run(started -> {
                    assertThat(started).hasSingleBean(AuditEventSink.class).doesNotHaveBean(JsonLinesAuditSink.class);
                    String answer = Objects.requireNonNull(
                            started.getBean(ChatModel.class).call("Hello " + CANARY));
                    List<AuditEvent> events = started.getBean(AuditEventRepository.class)
                            .find(TenantResolver.ANONYMOUS, null, AuditEventSink.TYPE);
                    assertThat(events).hasSize(1);
                    assertThat(events.getFirst().getData())
                            .containsEntry("outcome", "COMPLETED")
                            .containsKeys("request", "model", "promptTokens");
                    assertThat(events.getFirst().getData().toString())
                            .doesNotContain(CANARY)
                            .doesNotContain(answer);
                });
    }

    @Test
    void withoutActuatorOrSecurityOnTheClassPathTheRestIsThere() {
        withFile()
                .withClassLoader(new FilteredClassLoader(
                        AuditApplicationEvent.class.getPackageName(),
                        "org.springframework.boot.actuate",
                        "org.springframework.security"))
                .run(started -> {
                    assertThat(started).hasNotFailed().doesNotHaveBean(AuditEventSink.class);
                    started.getBean(ChatModel.class).call("Hello");
                    assertThat(records().getFirst().path("principal").asString())
                            .isEqualTo("anonymous");
                    assertThat(started.getBean(PrincipalResolver.class).principal())
                            .isEqualTo("anonymous");
                });
    }

    @Test
    void ownSinksAndTenantsAreUsed() {
        SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken("ada", "", "USER"));
        context.withUserConfiguration(OwnSink.class, OwnTenant.class).run(started -> {
            started.getBean(ChatModel.class).call("Hello");
            List<AuditRecord> kept = started.getBean(OwnSink.class).kept;
            assertThat(kept).hasSize(1);
            assertThat(kept.getFirst().tenant()).isEqualTo("analytical engines");
            assertThat(kept.getFirst().principal()).isEqualTo("ada");
        });
    }

    @Test
    void aRecordThatIsNotKeptFailsTheRequestUnlessToldOtherwise() {
        context.withUserConfiguration(FailingSink.class).run(started -> {
            ChatModel model = started.getBean(ChatModel.class);
            assertThatThrownBy(() -> model.call("Hello"))
                    .isInstanceOf(AuditException.class)
                    .hasMessageNotContaining(CANARY);
            assertThatThrownBy(() -> model.stream(new Prompt("Hello")).blockLast())
                    .isInstanceOf(AuditException.class);
        });
        context.withUserConfiguration(FailingSink.class)
                .withPropertyValues("bloomery.audit.fail-closed=false")
                .run(started -> assertThat(started.getBean(ChatModel.class).call("Hello"))
                        .isNotBlank());
    }

    @Test
    void aFileThatIsMissingOrOddStopsTheStart() {
        context.withPropertyValues("bloomery.audit.enabled=true")
                .run(started -> assertThat(started)
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("'bloomery.audit.file' is not set"));
        context.withPropertyValues("bloomery.audit.enabled=true", "bloomery.audit.file=" + folder)
                .run(started -> assertThat(started)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(AuditException.class)
                        .hasMessageContaining("no regular file"));
        context.withPropertyValues("bloomery.audit.hmac-key=short")
                .run(started ->
                        assertThat(started).getFailure().rootCause().hasMessageContaining("must have at least 16"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bloomery.audit.hmac-key", "bloomery.audit.hmacKey", "BLOOMERY_AUDIT_HMACKEY"})
    void theKeyIsInNoEndpoint(String property) {
        context.run(started -> {
            Sanitizer sanitizer = new Sanitizer(List.of(started.getBean(SanitizingFunction.class)));
            assertThat(sanitizer.sanitize(new SanitizableData(null, property, "0123456789abcdef"), true))
                    .isEqualTo(SanitizableData.SANITIZED_VALUE);
            assertThat(sanitizer.sanitize(new SanitizableData(null, "bloomery.audit.file", "a.jsonl"), true))
                    .isEqualTo("a.jsonl");
        });
    }

    @Test
    void theKeyIsInNoText() {
        withFile("bloomery.audit.hmac-key=0123456789abcdef")
                .run(started -> assertThat(
                                started.getBean(BloomeryAuditProperties.class).toString())
                        .doesNotContain("0123456789abcdef"));
    }

    @Test
    void aStreamThatItsSubscriberCancelsIsRecordedOnce() {
        withFile("bloomery.chat.max-tokens=150", "bloomery.guards.pii=true", "bloomery.guards.hold-back=64")
                .withConfiguration(AutoConfigurations.of(BloomeryGuardAutoConfiguration.class))
                .run(started -> {
                    ChatModel model = started.getBean(ChatModel.class);
                    model.stream(new Prompt("Tell me a story.")).take(1).blockLast();
                    started.getBean(AuditRecorder.class).close();
                    model.call("Hello");
                    List<JsonNode> records = records();
                    assertThat(records).hasSize(2);
                    assertThat(records.getFirst().path("outcome").asString()).isIn("CANCELLED", "COMPLETED");
                    assertThat(records.getLast().path("outcome").asString()).isEqualTo("COMPLETED");
                });
    }
}
