package org.bloomery.javaengine;

import java.util.stream.Stream;
import org.bloomery.engine.backend.TinyModel;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.TensorType;

/** The backend with the kernels on the Vector API. */
class JavaBackendVectorTest extends JavaBackendTest {

    @Override
    protected Stream<TinyModel> models() {
        return Stream.of(TinyModels.mixtral(1, TensorType.F32), TinyModels.qwen3(1, TensorType.Q8_0));
    }

    @Override
    protected String kernels() {
        return "vector";
    }
}
