package org.bloomery.nativeengine;

import java.util.List;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.GoldenLogits;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Logits of llama.cpp through this module are those that its own C API gave, for every golden architecture. */
class GoldenArchitecturesTest {

    @BeforeAll
    static void requireNatives() {
        Natives.require();
    }

    /** One name where there are none, so that the test is skipped with its word. */
    static List<String> names() {
        List<String> names = GoldenLogits.names();
        return names.isEmpty() ? List.of("llama-dense") : names;
    }

    @ParameterizedTest
    @MethodSource("names")
    void agreesWithTheGoldenLogits(String name) {
        GoldenLogits golden = GoldenLogits.of(name);
        try (ModelFile file = GgufReader.open(golden.model(), LoadMode.MAP);
                Backend backend = new NativeBackendProvider()
                        .open(file, new BackendOptions(32, 3, 48, 2, "auto", "F32"), LoadProgress.NONE)) {
            golden.check(backend);
        }
    }
}
