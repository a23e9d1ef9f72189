package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.store.ModelDigest;
import org.bloomery.spring.actuate.InferenceEndpoint;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.health.EngineHealthIndicator;
import org.bloomery.spring.health.EngineWatchdog;
import org.bloomery.spring.health.StallingBackend;
import org.bloomery.spring.health.StallingProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;
import org.springframework.boot.availability.ApplicationAvailability;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.LivenessState;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Health, watchdog, endpoint and the load in the background, over the demo model. */
class OperationsAutoConfigurationTest {

    private static final String DEMO = Objects.requireNonNull(System.getProperty("bloomery.demo.model"));
    private static final String CANARY = "xylophone4711";

    private final ApplicationContextRunner context = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    ApplicationAvailabilityAutoConfiguration.class,
                    BloomeryChatAutoConfiguration.class,
                    BloomeryHealthAutoConfiguration.class,
                    BloomeryActuatorAutoConfiguration.class,
                    ToolCallingAutoConfiguration.class))
            .withPropertyValues(
                    "bloomery.chat.model=" + DEMO,
                    "bloomery.chat.temperature=0",
                    "bloomery.chat.max-tokens=16",
                    "bloomery.engine.context-length=256",
                    "bloomery.engine.max-sequences=2",
                    "management.endpoints.web.exposure.include=*",
                    "management.endpoints.jmx.exposure.include=*");

    private static Health health(EngineHealthIndicator indicator) {
        return Objects.requireNonNull(indicator.health(true));
    }

    @Test
    void healthTellsOfTheEngineAndNeverOfText() {
        context.run(started -> {
            EngineHealthIndicator indicator = started.getBean(EngineHealthIndicator.class);
            started.getBean(BloomeryChatModel.class).call(new Prompt("My name is " + CANARY));
            await().untilAsserted(() -> assertThat(
                            String.valueOf(health(indicator).getDetails().get("digest")))
                    .matches("[0-9a-f]{64}"));
            Health health = health(indicator);
            assertThat(health.getStatus()).isEqualTo(Status.UP);
            assertThat(health.getDetails())
                    .containsKeys("backend", "model", "templateHash", "activeSequences", "queuedRequests")
                    .containsEntry("maxSequences", 2);
            assertThat(health.toString()).doesNotContain(CANARY);
        });
    }

    @Test
    void healthSaysWhyTheDigestIsUnknown(@TempDir Path folder) throws IOException {
        Path model = Files.copy(Path.of(DEMO), folder.resolve("model.gguf"));
        context.withPropertyValues("bloomery.chat.model=" + model, "bloomery.engine.load-mode=copy")
                .run(started -> {
                    EngineHealthIndicator indicator = started.getBean(EngineHealthIndicator.class);
                    Files.setLastModifiedTime(model, FileTime.fromMillis(1));
                    await().untilAsserted(() -> assertThat(String.valueOf(
                                    health(indicator).getDetails().get("digest")))
                            .startsWith("unknown: ")
                            .contains("model.gguf was changed"));
                    Files.delete(model);
                    started.getBean(InferenceEndpoint.class).act("reload", DEMO);
                    await().untilAsserted(() -> assertThat(String.valueOf(
                                    health(indicator).getDetails().get("digest")))
                            .isEqualTo(ModelDigest.of(Path.of(DEMO)).sha256()));
                    assertThat(health(indicator).getStatus()).isEqualTo(Status.UP);
                });
    }

    @Test
    void theIndicatorCanBeSwitchedOff() {
        context.withPropertyValues("management.health.bloomery.enabled=false")
                .run(started -> assertThat(started).doesNotHaveBean(EngineHealthIndicator.class));
    }

    @Test
    void aModelInTheBackgroundIsOutOfServiceUntilItIsLoaded() {
        List<ReadinessState> readiness = new CopyOnWriteArrayList<>();
        context.withPropertyValues("bloomery.engine.startup=background")
                .withInitializer(created -> created.addApplicationListener(event -> {
                    if (event instanceof AvailabilityChangeEvent<?> change
                            && change.getState() instanceof ReadinessState state) {
                        readiness.add(state);
                    }
                }))
                .run(started -> {
                    Engine engine = started.getBean(Engine.class);
                    EngineHealthIndicator indicator = started.getBean(EngineHealthIndicator.class);
                    if (engine.state() == EngineState.LOADING) {
                        assertThat(health(indicator).getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
                    }
                    AvailabilityChangeEvent.publish(started, ReadinessState.ACCEPTING_TRAFFIC);
                    await().until(() -> engine.state() == EngineState.READY);
                    await().untilAsserted(
                                    () -> assertThat(readiness.getLast()).isEqualTo(ReadinessState.ACCEPTING_TRAFFIC));
                    assertThat(health(indicator).getStatus()).isEqualTo(Status.UP);
                    assertThat(started.getBean(BloomeryChatModel.class).call("Hello"))
                            .isNotBlank();
                });
    }

    @Test
    void aBackgroundModelThatCannotBeLoadedIsDownAndSaysWhy(@TempDir Path folder) throws IOException {
        Path broken = Files.writeString(folder.resolve("broken.gguf"), "no model at all, but longer than a header");
        context.withPropertyValues("bloomery.engine.startup=background", "bloomery.chat.model=" + broken)
                .run(started -> {
                    assertThat(started).hasNotFailed();
                    Engine engine = started.getBean(Engine.class);
                    await().until(() -> engine.state() == EngineState.CLOSED);
                    Health health = health(started.getBean(EngineHealthIndicator.class));
                    assertThat(health.getStatus()).isEqualTo(Status.DOWN);
                    assertThat(String.valueOf(health.getDetails().get("reason")))
                            .contains("broken.gguf");
                    BloomeryChatModel model = started.getBean(BloomeryChatModel.class);
                    assertThatThrownBy(() -> model.call(new Prompt("Hello")))
                            .isInstanceOf(EngineUnavailableException.class)
                            .hasMessageContaining("broken.gguf");
                });
    }

    @Test
    void theEndpointShowsTheEngineAndNeverText() {
        context.run(started -> {
            started.getBean(BloomeryChatModel.class).call(new Prompt("My name is " + CANARY));
            Map<String, Object> shown = started.getBean(InferenceEndpoint.class).inference();
            assertThat(shown)
                    .containsKeys("state", "models", "backend", "memory", "slots", "queue", "startupProbe", "doctor");
            assertThat(shown.toString()).doesNotContain(CANARY);
        });
    }

    @Test
    void operatorsUnloadAndReload() {
        context.run(started -> {
            InferenceEndpoint endpoint = started.getBean(InferenceEndpoint.class);
            BloomeryChatModel model = started.getBean(BloomeryChatModel.class);
            assertThat(endpoint.act("unload", null)).containsEntry("drained", true);
            assertThatThrownBy(() -> model.call(new Prompt("Hello"))).isInstanceOf(EngineUnavailableException.class);
            assertThat(endpoint.inference()).containsEntry("state", "CLOSED");
            endpoint.act("reload", null);
            assertThat(model.call("Hello")).isNotBlank();
            assertThat(endpoint.actOn("cancel", "none-such")).containsEntry("cancelled", false);
            assertThatThrownBy(() -> endpoint.act("explode", null)).hasMessageContaining("explode");
        });
    }

    @Test
    void readinessFollowsUnloadReloadAndDrain() {
        context.run(started -> {
            ApplicationAvailability availability = started.getBean(ApplicationAvailability.class);
            AvailabilityChangeEvent.publish(started, ReadinessState.ACCEPTING_TRAFFIC);
            InferenceEndpoint endpoint = started.getBean(InferenceEndpoint.class);
            for (String goes : List.of("unload", "drain")) {
                endpoint.act(goes, null);
                assertThat(availability.getReadinessState()).as(goes).isEqualTo(ReadinessState.REFUSING_TRAFFIC);
                endpoint.act("reload", null);
                assertThat(availability.getReadinessState()).as(goes).isEqualTo(ReadinessState.ACCEPTING_TRAFFIC);
                assertThat(health(started.getBean(EngineHealthIndicator.class)).getStatus())
                        .isEqualTo(Status.UP);
            }
        });
    }

    @Test
    void aStallTakesReadinessDownAndItsEndTakesItUpAgain() {
        StallingProvider.enable(true);
        List<Object> told = new CopyOnWriteArrayList<>();
        context.withPropertyValues("bloomery.engine.backend=stalling", "bloomery.engine.stall-timeout=50ms")
                .withInitializer(created -> created.addApplicationListener(event -> {
                    if (event instanceof AvailabilityChangeEvent<?> change) {
                        told.add(change.getState());
                    }
                }))
                .run(started -> {
                    AvailabilityChangeEvent.publish(started, ReadinessState.ACCEPTING_TRAFFIC);
                    StallingProvider.opened().stallAfter(2, StallingBackend.End.CANCELLED);
                    // The watchdog of the application gives the step up, so the answer comes
                    assertThat(started.getBean(BloomeryChatModel.class).call("Hello"))
                            .isNotBlank();
                    await().until(() -> started.getBean(EngineWatchdog.class).state() == EngineWatchdog.State.HEALTHY);
                    await().untilAsserted(() -> assertThat(told)
                            .filteredOn(state -> state instanceof ReadinessState)
                            .containsExactly(
                                    ReadinessState.ACCEPTING_TRAFFIC,
                                    ReadinessState.REFUSING_TRAFFIC,
                                    ReadinessState.ACCEPTING_TRAFFIC));
                    assertThat(told).doesNotContain(LivenessState.BROKEN);
                });
        StallingProvider.enable(false);
    }

    @Test
    void aWatchdogLooksAfterTheEngine() {
        context.run(started -> {
            assertThat(started.getBean(WatchdogLifecycle.class).isRunning()).isTrue();
            assertThat(started.getBean(EngineWatchdog.class).state()).isEqualTo(EngineWatchdog.State.HEALTHY);
        });
    }
}
