package org.bloomery.nativeengine;

import java.util.stream.Stream;
import org.bloomery.engine.backend.TinyModel;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.TensorType;

/**
 * The same with quantised weights. llama.cpp multiplies them with activations that it rounds to 8 bits, in other code for
 * one row than for many, so that the same token comes out a little different in another batch.
 */
class NativeQuantizedTest extends NativeBackendTest {

    @Override
    protected double tolerance() {
        return 2e-2;
    }

    @Override
    protected Stream<TinyModel> models() {
        return Stream.of(
                TinyModels.llama(1, TensorType.Q8_0),
                TinyModels.qwen3(1, TensorType.Q4_0),
                TinyModels.llama(3, TensorType.Q4_K));
    }
}
