package org.bloomery.javaengine.tensor;

import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.Kernels;

/**
 * Scratch memory and threads of one backend's forward passes: packed activations and one buffer a thread. It grows to
 * what the widest product needs and is then reused. Used by one caller at a time.
 */
public final class Workspace {

    private final WorkerPool pool;
    private final float[][] scratch;
    private float[] packed = new float[0];

    public Workspace(WorkerPool pool) {
        this.pool = pool;
        this.scratch = new float[pool.threads()][0];
    }

    /** The threads that compute. */
    public WorkerPool pool() {
        return pool;
    }

    /** The activations in the form that the kernels ask for; packed by all threads where they ask. */
    Activations prepare(Kernels kernels, float[] x, int offset, int tokens, int columns) {
        int length = kernels.packedLength(columns, tokens);
        if (packed.length < length) {
            packed = new float[length];
        }
        Activations prepared = new Activations(x, offset, tokens, columns, packed);
        if (length > 0) {
            pool.forRange(kernels.packParts(columns, tokens), 1, (from, to, worker) -> {
                for (int part = from; part < to; part++) {
                    kernels.pack(prepared, part);
                }
            });
        }
        return prepared;
    }

    /** Makes sure that every thread has this much scratch; called between rounds. */
    void reserve(int length) {
        for (int worker = 0; worker < scratch.length; worker++) {
            if (scratch[worker].length < length) {
                scratch[worker] = new float[length];
            }
        }
    }

    float[] scratch(int worker) {
        return scratch[worker];
    }
}
