package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendContract;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.TinyModel;
import org.bloomery.engine.backend.TinyModels;
import org.bloomery.engine.format.TensorType;
import org.bloomery.engine.worker.WorkerProvider;
import org.bloomery.engine.worker.Workers;
import org.junit.jupiter.api.Test;

/** A backend in a child JVM keeps what one in this process keeps. */
class WorkerBackendTest extends BackendContract {

    @Override
    protected BackendProvider provider() {
        return new WorkerProvider(new JavaBackendProvider());
    }

    @Override
    protected Stream<TinyModel> models() {
        return Stream.of(TinyModels.qwen3(1, TensorType.Q8_0));
    }

    /** Each starts a JVM. */
    @Override
    protected int cycles() {
        return Boolean.getBoolean("bloomery.soak") ? 102 : 12;
    }

    @Test
    void saysWhenItsProcessDiedAndWorksAgainAfterRecovery() {
        try (Opened opened = open(TinyModels.llama(2, TensorType.F32))) {
            Backend backend = opened.backend();
            float[][] expected = feed(backend, new int[] {1, 2, 3}, 0, 3);
            long before = Workers.processId(backend.info());
            Workers.kill(before);

            assertThatThrownBy(() -> backend.truncate(0, 0))
                    .isInstanceOf(BackendLostException.class)
                    .hasMessageContaining(String.valueOf(before));
            Batch batch = new Batch(1);
            batch.add(1, 0, 0, true);
            assertThatThrownBy(() -> backend.forward(batch)).isInstanceOf(BackendLostException.class);

            backend.recover();
            assertThat(Workers.processId(backend.info())).isNotEqualTo(before);
            assertThat(feed(backend, new int[] {1, 2, 3}, 0, 3)).isDeepEqualTo(expected);
        }
    }

    @Test
    void leavesNoProcessBehind() {
        long worker;
        try (Opened opened = open(TinyModels.llama(2, TensorType.F32))) {
            worker = Workers.processId(opened.backend().info());
            assertThat(ProcessHandle.of(worker)).isPresent();
        }
        assertThat(ProcessHandle.of(worker).filter(ProcessHandle::isAlive)).isEmpty();
    }
}
