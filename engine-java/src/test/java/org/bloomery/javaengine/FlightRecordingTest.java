package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.sampling.SamplingOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an engine writes into a flight recording. */
@Timeout(120)
class FlightRecordingTest {

    private static final Path MODEL = Path.of(System.getProperty("bloomery.demo.model"));
    private static final String CANARY = "Zanzibar";

    @TempDir
    Path folder;

    private static Completion ask() {
        GenerationOptions options =
                GenerationOptions.DEFAULT.withSampling(SamplingOptions.GREEDY).withMaxTokens(60);
        try (Engine engine =
                Engine.open(EngineOptions.builder(MODEL).contextLength(512).build(), LoadProgress.NONE)) {
            return engine.generate(
                    new ChatRequest(List.of(ChatMessage.user("My name is " + CANARY + ". Hello!")), options),
                    GenerationSink.NONE);
        }
    }

    private List<RecordedEvent> record(Runnable work) throws Exception {
        Path file = folder.resolve("recording.jfr");
        try (Recording recording = new Recording()) {
            recording.start();
            work.run();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file);
    }

    private static List<RecordedEvent> of(List<RecordedEvent> events, String name) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals("org.bloomery." + name))
                .toList();
    }

    @Test
    void tellsTheLoadTheRequestItsPrefillAndTheSteps() throws Exception {
        List<Completion> answers = new ArrayList<>();
        List<RecordedEvent> events = record(() -> answers.add(ask()));
        Completion answer = answers.getFirst();

        assertThat(of(events, "ModelLoad")).hasSize(1);
        RecordedEvent load = of(events, "ModelLoad").getFirst();
        assertThat(load.getString("backend")).isEqualTo("java");
        assertThat(load.getLong("fileBytes")).isEqualTo(Files.size(MODEL));
        assertThat(load.getDuration()).isPositive();

        assertThat(of(events, "Request")).hasSize(1);
        RecordedEvent request = of(events, "Request").getFirst();
        assertThat(request.getString("id")).isEqualTo(answer.id());
        assertThat(request.getString("operation")).isEqualTo("CHAT");
        assertThat(request.getString("finishReason"))
                .isEqualTo(answer.finishReason().name());
        assertThat(request.getString("error")).isNull();
        assertThat(request.getInt("promptTokens")).isEqualTo(answer.usage().promptTokens());
        assertThat(request.getInt("completionTokens")).isEqualTo(answer.usage().completionTokens());
        assertThat(request.getDuration("queued")).isEqualTo(answer.timings().queued());
        assertThat(request.getDuration("decode")).isEqualTo(answer.timings().decode());

        assertThat(of(events, "Prefill")).hasSize(1);
        assertThat(of(events, "Prefill").getFirst().getString("id")).isEqualTo(answer.id());
        assertThat(of(events, "Prefill").getFirst().getDuration()).isPositive().isLessThan(request.getDuration());

        List<RecordedEvent> steps = of(events, "Step");
        assertThat(steps.stream().mapToInt(step -> step.getInt("prefillTokens")).sum())
                .isEqualTo(answer.usage().promptTokens());
        assertThat(steps).allSatisfy(step -> {
            assertThat(step.getDuration()).isPositive();
            assertThat(step.getInt("sequences")).isEqualTo(1);
        });
    }

    @Test
    void everyLoadIsAnEventOfItsOwn() throws Exception {
        EngineOptions options = EngineOptions.builder(MODEL).contextLength(512).build();
        List<RecordedEvent> loads = of(
                record(() -> {
                    try (Engine engine = Engine.open(options, LoadProgress.NONE)) {
                        engine.swap(options, LoadProgress.NONE, Duration.ZERO);
                        engine.unload(Duration.ZERO);
                        engine.swap(options, LoadProgress.NONE, Duration.ZERO);
                    }
                }),
                "ModelLoad");
        assertThat(loads).hasSize(3);
        for (int i = 1; i < loads.size(); i++) {
            assertThat(loads.get(i).getStartTime())
                    .isAfterOrEqualTo(loads.get(i - 1).getEndTime());
        }
        assertThat(loads)
                .allSatisfy(load -> assertThat(load.getDuration()).isPositive())
                .allSatisfy(load -> assertThat(load.getString("model")).isNotBlank());
    }

    @Test
    void holdsNoTextOfPromptOrAnswer() throws Exception {
        List<Completion> answers = new ArrayList<>();
        List<RecordedEvent> events = record(() -> answers.add(ask()));

        List<String> ours = events.stream()
                .filter(event -> event.getEventType().getName().startsWith("org.bloomery."))
                .map(RecordedEvent::toString)
                .toList();
        assertThat(ours).isNotEmpty();
        assertThat(answers.getFirst().text()).isNotBlank();
        assertThat(ours)
                .noneMatch(event -> event.contains(CANARY))
                .noneMatch(event -> event.contains(answers.getFirst().text()));
    }
}
