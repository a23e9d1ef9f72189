package org.bloomery.javaengine.tensor;

import java.util.HashMap;
import java.util.Map;
import org.bloomery.javaengine.kernel.ActivationForm;
import org.bloomery.javaengine.kernel.Activations;

/**
 * Scratch memory and threads of one backend's forward passes: packed activations and one buffer a thread. It grows to
 * what the widest product needs and is then reused. Used by one caller at a time.
 */
public final class Workspace {

    private static final float[] NONE = {};

    private final WorkerPool pool;
    private final float[][] scratch;
    private final Map<ActivationForm, float[]> packed = new HashMap<>();

    public Workspace(WorkerPool pool) {
        this.pool = pool;
        this.scratch = new float[pool.threads()][0];
    }

    /** The threads that compute. */
    public WorkerPool pool() {
        return pool;
    }

    /** The activations in this form, packed by all threads; they hold until the next call for the same form. */
    Activations prepare(ActivationForm form, float[] x, int offset, int tokens, int columns) {
        int length = form.length(columns, tokens);
        float[] room = packed.getOrDefault(form, NONE);
        if (room.length < length) {
            room = new float[length];
            packed.put(form, room);
        }
        Activations prepared = new Activations(x, offset, tokens, columns, room);
        if (length > 0) {
            pool.forRange(form.parts(columns, tokens), 1, (from, to, worker) -> {
                for (int part = from; part < to; part++) {
                    form.pack(prepared, part);
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
