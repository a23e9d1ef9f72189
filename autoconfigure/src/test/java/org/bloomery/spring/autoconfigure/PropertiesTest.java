package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.FlashAttention;
import org.bloomery.engine.backend.DeviceOptions.SplitMode;
import org.bloomery.engine.backend.Isolation;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.sampling.SamplingOptions;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;

class PropertiesTest {

    private static final String BREAKER = "SequenceBreakerThatHasMoreThanSixtyFourCharactersAndIsRefusedForThat";
    private static final Path MODEL = Path.of("model.gguf");

    private final ApplicationContextRunner context =
            new ApplicationContextRunner().withUserConfiguration(PropertiesOnly.class);

    @Configuration(proxyBeanMethods = false)
    @EnableConfigurationProperties({BloomeryChatProperties.class, BloomeryEngineProperties.class})
    static class PropertiesOnly {}

    private BloomeryChatOptions chat(String... properties) {
        BloomeryChatOptions[] options = new BloomeryChatOptions[1];
        context.withPropertyValues(properties)
                .run(started -> options[0] =
                        started.getBean(BloomeryChatProperties.class).toOptions());
        return Objects.requireNonNull(options[0]);
    }

    private EngineOptions engine(String... properties) {
        EngineOptions[] options = new EngineOptions[1];
        context.withPropertyValues(properties)
                .run(started -> options[0] =
                        started.getBean(BloomeryEngineProperties.class).toOptions(MODEL));
        return Objects.requireNonNull(options[0]);
    }

    @Test
    void engineDefaultsAreTheEngines() {
        assertThat(engine()).isEqualTo(EngineOptions.builder(MODEL).build());
    }

    @Test
    void chatDefaultsAreTheEngines() {
        BloomeryChatOptions options = chat();
        SamplingOptions sampling = GenerationOptions.DEFAULT.sampling();
        assertThat(options.getTemperature()).isEqualTo(sampling.temperature());
        assertThat(options.getTopK()).isEqualTo(sampling.topK());
        assertThat(options.getTopP()).isEqualTo(sampling.topP());
        assertThat(options.getMinP()).isEqualTo(sampling.minP());
        assertThat(options.getTypicalP()).isEqualTo(sampling.typicalP());
        assertThat(options.getPenaltyLastN()).isEqualTo(sampling.penaltyLastN());
        assertThat(options.getRepeatPenalty()).isEqualTo(sampling.repeatPenalty());
        assertThat(options.getFrequencyPenalty()).isEqualTo(sampling.frequencyPenalty());
        assertThat(options.getPresencePenalty()).isEqualTo(sampling.presencePenalty());
        assertThat(options.getDryMultiplier()).isEqualTo(sampling.dry().multiplier());
        assertThat(options.getDryBase()).isEqualTo(sampling.dry().base());
        assertThat(options.getDryAllowedLength()).isEqualTo(sampling.dry().allowedLength());
        assertThat(options.getDryPenaltyLastN()).isEqualTo(sampling.dry().penaltyLastN());
        assertThat(options.getDrySequenceBreakers()).isNull();
        assertThat(options.getXtcProbability()).isEqualTo(sampling.xtc().probability());
        assertThat(options.getXtcThreshold()).isEqualTo(sampling.xtc().threshold());
        assertThat(options.getLogitBias()).isEmpty();
        assertThat(options.getTextBias()).isEmpty();
        assertThat(options.getToolChoice()).isEqualTo("auto");
        assertThat(options.getThinking()).isEqualTo(Thinking.Mode.AUTO);
        assertThat(options.getThinkingBudget()).isNull();
        assertThat(options.getSeed()).isNull();
        assertThat(options.getMaxTokens()).isNull();
        assertThat(options.getStopSequences()).isEmpty();
        assertThat(options.getTimeout()).isNull();
        assertThat(options.getLogProbabilities()).isNull();
        assertThat(options.getTemplateArguments()).isEmpty();
    }

    @Test
    void everyChatPropertyBecomesAnOption() {
        assertThat(chat(
                        "bloomery.chat.max-tokens=77",
                        "bloomery.chat.temperature=0.3",
                        "bloomery.chat.top-k=12",
                        "bloomery.chat.top-p=0.7",
                        "bloomery.chat.min-p=0.11",
                        "bloomery.chat.typical-p=0.9",
                        "bloomery.chat.seed=42",
                        "bloomery.chat.penalty-last-n=33",
                        "bloomery.chat.repeat-penalty=1.2",
                        "bloomery.chat.frequency-penalty=0.4",
                        "bloomery.chat.presence-penalty=-0.5",
                        "bloomery.chat.dry-multiplier=0.8",
                        "bloomery.chat.dry-base=1.5",
                        "bloomery.chat.dry-allowed-length=3",
                        "bloomery.chat.dry-penalty-last-n=99",
                        "bloomery.chat.dry-sequence-breakers=;,!",
                        "bloomery.chat.xtc-probability=0.2",
                        "bloomery.chat.xtc-threshold=0.15",
                        "bloomery.chat.logit-bias.5=-3.0",
                        "bloomery.chat.text-bias.[as an AI]=-2.0",
                        "bloomery.chat.tool-choice=required",
                        "bloomery.chat.thinking=on",
                        "bloomery.chat.thinking-budget=55",
                        "bloomery.chat.stop=END,HALT",
                        "bloomery.chat.timeout=9s",
                        "bloomery.chat.log-probabilities=4",
                        "bloomery.chat.template-arguments.enable-thinking=false",
                        "bloomery.chat.template-arguments.[thinking_budget]=12",
                        "bloomery.chat.template-arguments.effort=high"))
                .isEqualTo(BloomeryChatOptions.builder()
                        .maxTokens(77)
                        .temperature(0.3)
                        .topK(12)
                        .topP(0.7)
                        .minP(0.11)
                        .typicalP(0.9)
                        .seed(42L)
                        .penaltyLastN(33)
                        .repeatPenalty(1.2)
                        .frequencyPenalty(0.4)
                        .presencePenalty(-0.5)
                        .dryMultiplier(0.8)
                        .dryBase(1.5)
                        .dryAllowedLength(3)
                        .dryPenaltyLastN(99)
                        .drySequenceBreakers(List.of(";", "!"))
                        .xtcProbability(0.2)
                        .xtcThreshold(0.15)
                        .logitBias(Map.of(5, -3.0))
                        .textBias(Map.of("as an AI", -2.0))
                        .toolChoice("required")
                        .thinking(Thinking.Mode.ON)
                        .thinkingBudget(55)
                        .stopSequences(List.of("END", "HALT"))
                        .timeout(Duration.ofSeconds(9))
                        .logProbabilities(4)
                        .templateArguments(Map.of("enable_thinking", false, "thinking_budget", 12L, "effort", "high"))
                        .build());
    }

    @Test
    void everyEnginePropertyBecomesAnOption() {
        assertThat(engine(
                        "bloomery.engine.backend=java",
                        "bloomery.engine.kernels=scalar",
                        "bloomery.engine.context-length=4096",
                        "bloomery.engine.max-sequences=3",
                        "bloomery.engine.batch-tokens=64",
                        "bloomery.engine.queue-capacity=7",
                        "bloomery.engine.threads=2",
                        "bloomery.engine.load-mode=copy",
                        "bloomery.engine.kv-cache-type=F32",
                        "bloomery.engine.timeout=90s",
                        "bloomery.engine.prefix-reuse=false",
                        "bloomery.engine.chat-template=classpath:chat-template.jinja",
                        "bloomery.engine.isolation=worker",
                        "bloomery.engine.library-path=/opt/llama",
                        "bloomery.engine.gpu-layers=12",
                        "bloomery.engine.devices=Vulkan0,CUDA1",
                        "bloomery.engine.split-mode=row",
                        "bloomery.engine.tensor-split=3,1.5",
                        "bloomery.engine.rpc-servers=gpu1:50052",
                        "bloomery.engine.flash-attention=on"))
                .isEqualTo(EngineOptions.builder(MODEL)
                        .backend("java")
                        .kernels("scalar")
                        .contextLength(4096)
                        .maxSequences(3)
                        .batchTokens(64)
                        .queueCapacity(7)
                        .threads(2)
                        .loadMode(LoadMode.COPY)
                        .cacheType("F32")
                        .defaultTimeout(Duration.ofSeconds(90))
                        .prefixReuse(false)
                        .chatTemplate(new String(resource("/chat-template.jinja"), StandardCharsets.UTF_8))
                        .isolation(Isolation.WORKER)
                        .devices(new DeviceOptions(
                                Path.of("/opt/llama"),
                                12,
                                List.of("Vulkan0", "CUDA1"),
                                SplitMode.ROW,
                                List.of(3.0, 1.5),
                                List.of("gpu1:50052"),
                                FlashAttention.ON))
                        .build());
    }

    @Test
    void theShutdownTimeoutIsBelowSpringsOwn() {
        context.run(started -> assertThat(
                        started.getBean(BloomeryEngineProperties.class).shutdownTimeout())
                .isEqualTo(Duration.ofSeconds(20)));
        context.withPropertyValues("bloomery.engine.shutdown-timeout=5s")
                .run(started -> assertThat(
                                started.getBean(BloomeryEngineProperties.class).shutdownTimeout())
                        .isEqualTo(Duration.ofSeconds(5)));
    }

    @ParameterizedTest
    @CsvSource({
        "max-tokens,0",
        "temperature,10.5",
        "top-k,-1",
        "top-p,1.01",
        "min-p,-0.1",
        "typical-p,2",
        "penalty-last-n,-2",
        "repeat-penalty,0",
        "frequency-penalty,-3",
        "presence-penalty,3",
        "dry-multiplier,11",
        "dry-base,0.5",
        "dry-allowed-length,0",
        "dry-penalty-last-n,-2",
        "xtc-probability,1.5",
        "xtc-threshold,-1",
        "timeout,0s",
        "log-probabilities,21"
    })
    void aBadChatPropertyIsNamedInFull(String name, String value) {
        String key = "bloomery.chat." + name;
        context.withPropertyValues(key + "=" + value).run(started -> {
            BloomeryChatProperties properties = started.getBean(BloomeryChatProperties.class);
            assertThat(catchThrowable(properties::toOptions))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageStartingWith("Property '" + key + "' is ");
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"bloomery.chat.logit-bias.5=200", "bloomery.chat.dry-sequence-breakers=aVeryLong" + BREAKER})
    void aBadElementNamesItsProperties(String property) {
        context.withPropertyValues(property).run(started -> {
            BloomeryChatProperties properties = started.getBean(BloomeryChatProperties.class);
            assertThat(catchThrowable(properties::toOptions))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageStartingWith("A property under 'bloomery.chat': Option '");
        });
    }

    @ParameterizedTest
    @CsvSource({
        "kernels,fast",
        "context-length,-1",
        "max-sequences,0",
        "batch-tokens,8",
        "queue-capacity,-1",
        "threads,5000",
        "kv-cache-type,Q2",
        "timeout,0s",
        "chat-template,classpath:nowhere.jinja",
        "gpu-layers,many",
        "gpu-layers,2000"
    })
    void aBadEnginePropertyIsNamedInFull(String name, String value) {
        String key = "bloomery.engine." + name;
        context.withPropertyValues(key + "=" + value).run(started -> {
            BloomeryEngineProperties properties = started.getBean(BloomeryEngineProperties.class);
            assertThat(catchThrowable(() -> properties.toOptions(MODEL)))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageStartingWith("Property '" + key + "' is ");
        });
    }

    private static byte[] resource(String name) {
        try (var in = Objects.requireNonNull(PropertiesTest.class.getResourceAsStream(name))) {
            return in.readAllBytes();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
