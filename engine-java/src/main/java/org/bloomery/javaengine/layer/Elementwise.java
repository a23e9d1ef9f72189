package org.bloomery.javaengine.layer;

import org.bloomery.javaengine.tensor.WorkerPool;

/** Sums and activations, element by element. */
final class Elementwise {

    /** Elements worth handing to another thread. */
    private static final int GRAIN = 16_384;

    private Elementwise() {}

    /** Rows of this width worth handing to another thread. */
    static int rowGrain(int width) {
        return Math.max(1, GRAIN / width);
    }

    /** {@code x += y} */
    static void add(float[] x, float[] y, int count, WorkerPool pool) {
        pool.forRange(count, GRAIN, (from, to, worker) -> {
            for (int i = from; i < to; i++) {
                x[i] += y[i];
            }
        });
    }

    /** {@code gate = silu(gate) * up} */
    static void swiglu(float[] gate, float[] up, int count, Pass pass) {
        pass.pool().forRange(count, GRAIN, (from, to, worker) -> pass.elementwise.swiglu(gate, up, from, to));
    }
}
