package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@ExtendWith(OutputCaptureExtension.class)
class BloomeryChatAutoConfigurationTest {

    private static final String DEMO = Objects.requireNonNull(System.getProperty("bloomery.demo.model"));

    private final ApplicationContextRunner empty = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    BloomeryChatAutoConfiguration.class,
                    ToolCallingAutoConfiguration.class,
                    ChatClientAutoConfiguration.class));

    private final ApplicationContextRunner context = empty.withPropertyValues(
            "bloomery.chat.model=" + DEMO, "bloomery.chat.temperature=0", "bloomery.engine.context-length=512");

    private static Engine open() {
        return Engine.open(
                EngineOptions.builder(Path.of(DEMO))
                        .contextLength(256)
                        .maxSequences(1)
                        .build(),
                LoadProgress.NONE);
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnEngine {
        @Bean
        Engine ownEngine() {
            return open();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnChatModel {
        @Bean
        BloomeryChatModel ownChatModel() {
            return BloomeryChatModel.builder(open())
                    .options(BloomeryChatOptions.builder().seed(99L).build())
                    .build();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Observed {
        @Bean
        TestObservationRegistry observationRegistry() {
            return TestObservationRegistry.create();
        }

        @Bean
        ChatModelObservationConvention convention() {
            return new DefaultChatModelObservationConvention() {
                @Override
                public String getName() {
                    return "own.name";
                }
            };
        }
    }

    @Test
    void aModelGivesAChatModelAndAChatClient(CapturedOutput output) {
        context.run(started -> {
            assertThat(started).hasSingleBean(ChatModel.class).hasSingleBean(Engine.class);
            ChatClient client = started.getBean(ChatClient.Builder.class).build();
            assertThat(client.prompt("Hello").call().content()).contains("help you");
            Engine engine = started.getBean(Engine.class);
            assertThat(output).contains("Loading " + DEMO);
            assertThat(engine.report())
                    .isNotEmpty()
                    .allSatisfy(line -> assertThat(output).contains(line));
        });
    }

    @Test
    void aFileUrlIsAModelToo() {
        context.withPropertyValues("bloomery.chat.model=" + Path.of(DEMO).toUri())
                .run(started -> assertThat(started).hasSingleBean(BloomeryChatModel.class));
    }

    @Test
    void withoutAModelThereIsNothing() {
        empty.run(started -> assertThat(started)
                .doesNotHaveBean(ChatModel.class)
                .doesNotHaveBean(Engine.class)
                .doesNotHaveBean(EngineLifecycle.class)
                .doesNotHaveBean(BloomeryChatProperties.class)
                .doesNotHaveBean(BloomeryEngineProperties.class));
    }

    @Test
    void anotherProviderOrNoneSwitchesItOff() {
        for (String other : List.of("none", "openai")) {
            context.withPropertyValues("spring.ai.model.chat=" + other)
                    .run(started -> assertThat(started)
                            .doesNotHaveBean(ChatModel.class)
                            .doesNotHaveBean(Engine.class)
                            .doesNotHaveBean(BloomeryChatProperties.class));
        }
    }

    @Test
    void itIsSelectedByItsName() {
        context.withPropertyValues("spring.ai.model.chat=bloomery")
                .run(started -> assertThat(started).hasSingleBean(BloomeryChatModel.class));
    }

    @Test
    void anOwnEngineIsUsed() {
        context.withUserConfiguration(OwnEngine.class).run(started -> {
            assertThat(started).hasSingleBean(Engine.class).hasBean("ownEngine").hasSingleBean(BloomeryChatModel.class);
            assertThat(started.getBean(Engine.class).model().contextLength()).isEqualTo(256);
        });
    }

    @Test
    void withAnOwnChatModelNothingIsLoadedTwice() {
        context.withUserConfiguration(OwnChatModel.class).run(started -> {
            assertThat(started).hasSingleBean(BloomeryChatModel.class).doesNotHaveBean(Engine.class);
            assertThat(started.getBean(BloomeryChatModel.class).getOptions().getSeed())
                    .isEqualTo(99);
        });
    }

    @Test
    void propertiesReachEngineAndModel() {
        context.withPropertyValues("bloomery.engine.max-sequences=3", "bloomery.chat.min-p=0.33")
                .run(started -> {
                    assertThat(started.getBean(Engine.class).stats().backend().maxSequences())
                            .isEqualTo(3);
                    assertThat(started.getBean(Engine.class).model().contextLength())
                            .isEqualTo(512);
                    assertThat(started.getBean(BloomeryChatModel.class)
                                    .getOptions()
                                    .getMinP())
                            .isEqualTo(0.33);
                });
    }

    @Test
    void observationBeansAreUsed() {
        context.withUserConfiguration(Observed.class).run(started -> {
            started.getBean(ChatModel.class).call(new Prompt("Hello"));
            assertThat(started.getBean(ObservationRegistry.class)).isInstanceOf(TestObservationRegistry.class);
            TestObservationRegistryAssert.assertThat(started.getBean(TestObservationRegistry.class))
                    .hasObservationWithNameEqualTo("own.name")
                    .that()
                    .hasBeenStopped();
        });
    }

    @Test
    void theEngineEndsWithItsContext() {
        AtomicReference<BloomeryChatModel> model = new AtomicReference<>();
        context.run(started -> model.set(started.getBean(BloomeryChatModel.class)));
        assertThat(catchThrowable(() -> Objects.requireNonNull(model.get()).call(new Prompt("Hello"))))
                .isInstanceOf(EngineClosedException.class);
    }

    @Test
    void anAnswerBeingWrittenIsFinishedBeforeTheContextCloses() throws Exception {
        assertThat(finishReasonOfAnAnswerWrittenAtClose("20s")).isEqualTo("LENGTH");
    }

    @Test
    void anAnswerThatTakesTooLongIsCutOffWhenTheContextCloses() throws Exception {
        assertThat(finishReasonOfAnAnswerWrittenAtClose("0s")).isEqualTo("SHUTDOWN");
    }

    private String finishReasonOfAnAnswerWrittenAtClose(String shutdownTimeout) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        AtomicReference<String> reason = new AtomicReference<>("");
        context.withPropertyValues("bloomery.engine.shutdown-timeout=" + shutdownTimeout)
                .run(started -> {
                    Engine engine = started.getBean(Engine.class);
                    Map<Integer, Double> noEnd = new java.util.HashMap<>();
                    for (int id = 0; id < engine.model().vocabSize(); id++) {
                        if (engine.tokenizer().isEndOfGeneration(id)) {
                            noEnd.put(id, -100.0);
                        }
                    }
                    CountDownLatch writing = new CountDownLatch(1);
                    started.getBean(ChatModel.class).stream(new Prompt(
                                    "Hello",
                                    BloomeryChatOptions.builder()
                                            .temperature(1.0)
                                            .maxTokens(400)
                                            .logitBias(noEnd)
                                            .build()))
                            .doOnNext(chunk -> writing.countDown())
                            .doOnNext(chunk -> keepFinishReason(chunk, reason))
                            .doFinally(signal -> done.countDown())
                            .subscribe();
                    assertThat(writing.await(30, TimeUnit.SECONDS)).isTrue();
                });
        assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
        return Objects.requireNonNull(reason.get());
    }

    private static void keepFinishReason(ChatResponse chunk, AtomicReference<String> reason) {
        String told = Objects.requireNonNull(chunk.getResult()).getMetadata().getFinishReason();
        if (told != null) {
            reason.set(told);
        }
    }

    @Test
    @Timeout(120)
    void readinessIsDownWhileALostWorkerIsStartedAgain() {
        BlockingQueue<ReadinessState> heard = new LinkedBlockingQueue<>();
        context.withConfiguration(AutoConfigurations.of(ApplicationAvailabilityAutoConfiguration.class))
                .withPropertyValues("bloomery.engine.isolation=worker", "bloomery.engine.backend=java")
                .run(started -> {
                    AvailabilityChangeEvent.publish(started, ReadinessState.ACCEPTING_TRAFFIC);
                    started.getSourceApplicationContext()
                            .addApplicationListener((ApplicationListener<AvailabilityChangeEvent<?>>)
                                    event -> heard.add((ReadinessState) event.getState()));
                    ProcessHandle worker = ProcessHandle.current()
                            .children()
                            .filter(child -> started.getBean(Engine.class)
                                    .stats()
                                    .backend()
                                    .devices()
                                    .endsWith("worker process " + child.pid()))
                            .findFirst()
                            .orElseThrow();

                    assertThat(worker.destroyForcibly()).isTrue();

                    assertThat(heard.poll(60, TimeUnit.SECONDS)).isEqualTo(ReadinessState.REFUSING_TRAFFIC);
                    assertThat(heard.poll(60, TimeUnit.SECONDS)).isEqualTo(ReadinessState.ACCEPTING_TRAFFIC);
                    assertThat(started.getBean(ChatModel.class).call("Hello!")).isNotBlank();
                    assertThat(heard).isEmpty();
                });
    }
}
