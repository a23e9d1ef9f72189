package org.bloomery.nativeengine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.bloomery.engine.backend.BackendContract;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.TinyModel;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.TensorType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** llama.cpp on the CPU keeps what every backend keeps. */
class NativeBackendTest extends BackendContract {

    @BeforeAll
    static void requireNatives() {
        Natives.require();
    }

    @Override
    protected BackendProvider provider() {
        return new NativeBackendProvider();
    }

    /** Its threads spin while they wait for each other, which takes forever where others want the processor too. */
    @Override
    protected int threads() {
        return 1;
    }

    @Override
    protected double tolerance() {
        return 1e-3;
    }

    @Override
    protected Stream<TinyModel> models() {
        return Stream.of(
                TinyModels.llama3(1, TensorType.F32),
                TinyModels.mixtral(1, TensorType.F32),
                TinyModels.qwen2(1, TensorType.F16),
                TinyModels.qwen3(1, TensorType.F32));
    }

    @Test
    void saysWhatComputesAndWhereItWasFound() {
        try (Opened opened = open(TinyModels.llama(1, TensorType.F32))) {
            assertThat(opened.backend().info().kernelsReason()).contains("llama.cpp", "bloomery-natives");
            assertThat(opened.backend().info().devices()).isNotBlank();
        }
    }
}
