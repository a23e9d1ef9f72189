package org.bloomery.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.InsufficientMemoryException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which backend is taken, and what is said about the others. */
class BackendsTest {

    private static final BackendOptions OPTIONS = new BackendOptions(16, 1, 16, 1, "auto", "F16");

    @TempDir
    Path folder;

    private ModelFile model;

    /** A provider that answers as it is told. */
    private record Scripted(
            String name,
            @Nullable String cannotRun,
            @Nullable String cannotLoad,
            @Nullable EngineException openFailure) implements BackendProvider {

        static Scripted good(String name) {
            return new Scripted(name, null, null, null);
        }

        @Override
        public Availability probe(DeviceOptions devices) {
            return cannotRun == null ? new Availability.Available("runs") : new Availability.Unavailable(cannotRun);
        }

        @Override
        public Availability supports(ModelFile model) {
            return cannotLoad == null ? new Availability.Available("loads") : new Availability.Unavailable(cannotLoad);
        }

        @Override
        public Backend open(ModelFile model, BackendOptions options, LoadProgress progress) {
            progress.loaded(0.5);
            if (openFailure != null) {
                throw openFailure;
            }
            progress.loaded(0.25);
            return new Idle(name);
        }
    }

    private record Idle(String name) implements Backend {
        @Override
        public BackendInfo info() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Logits forward(Batch batch) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void interrupt() {}

        @Override
        public void truncate(int sequence, int from) {}

        @Override
        public void copyPrefix(int source, int target, int length) {}

        @Override
        public void close() {}
    }

    @BeforeEach
    void openModel() {
        model = GgufReader.open(TinyModels.llama(1, TensorType.F32).write(folder), LoadMode.MAP);
    }

    @AfterEach
    void closeModel() {
        model.close();
    }

    private Backends.Opened open(String requested, BackendProvider... providers) {
        return Backends.open(
                List.of(providers), model, requested, OPTIONS, LoadProgress.NONE, UnaryOperator.identity());
    }

    @Test
    void takesTheFirstThatCanRunTheModelAndSaysWhyNotTheOthers() {
        Backends.Opened opened = open(
                "auto",
                new Scripted("a", "No library.", null, null),
                new Scripted("b", null, "Unknown type.", null),
                Scripted.good("c"),
                Scripted.good("d"));
        assertThat(opened.backend()).isEqualTo(new Idle("c"));
        assertThat(opened.reason())
                .isEqualTo(
                        "the first one that can run it; not a: No library.; not b: Unknown type.; not d: it is next in"
                                + " line");
    }

    @Test
    void givesWayToTheNextWhereABackendCannotOpenTheModel() {
        Backends.Opened opened = open(
                "auto",
                new Scripted("native", null, null, new InsufficientMemoryException("The device is full.")),
                Scripted.good("java"));
        assertThat(opened.backend()).isEqualTo(new Idle("java"));
        assertThat(opened.reason()).contains("not native: The device is full.");
    }

    @Test
    void aBackendAskedForByNameDoesNotGiveWay() {
        InsufficientMemoryException full = new InsufficientMemoryException("The device is full.");
        assertThatThrownBy(() -> open("native", new Scripted("native", null, null, full), Scripted.good("java")))
                .isSameAs(full);
        assertThatThrownBy(() -> open("native", new Scripted("native", "No library.", null, null)))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("No library.");
        assertThat(open("java", Scripted.good("native"), Scripted.good("java")).reason())
                .isEqualTo("asked for; not native: not asked for");
    }

    @Test
    void theLastFailureIsTold() {
        InsufficientMemoryException full = new InsufficientMemoryException("No memory.");
        assertThatThrownBy(() -> open(
                        "auto",
                        new Scripted("native", null, null, full),
                        new Scripted("java", null, "Unknown type.", null)))
                .isSameAs(full);
        assertThatThrownBy(() -> open(
                        "auto",
                        new Scripted("native", "No library.", null, null),
                        new Scripted("java", null, "Unknown type.", null)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("No library.")
                .hasMessageContaining("Unknown type.");
    }

    @Test
    void namesTheBackendsThereAre() {
        assertThatThrownBy(() -> open("metal", Scripted.good("java"), Scripted.good("native")))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("'metal'")
                .hasMessageContaining("java, native");
        assertThatThrownBy(() -> open("auto"))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("bloomery-engine-java");
    }

    @Test
    void progressDoesNotFallBackWhenABackendGivesWay() {
        List<Double> heard = new ArrayList<>();
        Backends.open(
                List.of(new Scripted("native", null, null, new EngineException("No.")), Scripted.good("java")),
                model,
                "auto",
                OPTIONS,
                heard::add,
                UnaryOperator.identity());
        assertThat(heard).isNotEmpty().isSorted();
    }

    @Test
    void everyProviderIsIsolatedBeforeItIsUsed() {
        List<String> isolated = new ArrayList<>();
        Backends.Opened opened = Backends.open(
                List.of(new Scripted("native", "No library.", null, null), Scripted.good("java")),
                model,
                "auto",
                OPTIONS,
                LoadProgress.NONE,
                provider -> {
                    isolated.add(provider.name());
                    return Scripted.good(provider.name());
                });
        assertThat(opened.backend()).isEqualTo(new Idle("native"));
        assertThat(isolated).containsExactly("native");
    }
}
