package org.bloomery.javaengine;

import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.GoldenLogits;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Logits of llama.cpp for tiny models of every supported architecture. */
class GoldenLogitsTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            llama-dense | scalar | F32
            llama-dense | auto   | F32
            llama-moe   | scalar | F32
            llama-moe   | auto   | F32
            qwen2-dense | scalar | F32
            qwen2-dense | auto   | F32
            qwen3-dense | scalar | F32
            qwen3-dense | auto   | F32
            llama-dense | auto   | F16
            llama-moe   | auto   | F16
            qwen2-dense | auto   | F16
            qwen3-dense | auto   | F16
            """)
    void agreesWithLlamaCpp(String name, String kernels, String cacheType) {
        GoldenLogits golden = GoldenLogits.of(name);
        try (ModelFile file = GgufReader.open(golden.model(), LoadMode.MAP);
                Backend backend = new JavaBackendProvider()
                        .open(file, new BackendOptions(32, 3, 48, 2, kernels, cacheType), LoadProgress.NONE)) {
            golden.check(backend);
        }
    }
}
