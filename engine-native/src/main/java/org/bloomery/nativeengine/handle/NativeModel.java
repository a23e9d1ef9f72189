package org.bloomery.nativeengine.handle;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.nativeengine.binding.Llama;
import org.bloomery.nativeengine.binding.ModelParams;
import org.bloomery.nativeengine.binding.Upcalls;

/** A loaded model. Closed once, after its contexts. */
public final class NativeModel implements AutoCloseable {

    private final NativeRuntime runtime;
    private final MemorySegment pointer;
    private final boolean keepsState;

    private NativeModel(NativeRuntime runtime, MemorySegment pointer) {
        this.runtime = runtime;
        this.pointer = pointer;
        keepsState = runtime.llama().keepsState(pointer);
    }

    /**
     * Where the layers go.
     *
     * @param devices to place layers on; empty for none
     * @param gpuLayers layers to place there
     * @param splitMode one of {@link Llama}'s
     * @param tensorSplit share of each device; empty for shares by free memory
     */
    public record Placing(List<Device> devices, int gpuLayers, int splitMode, List<Double> tensorSplit) {}

    /**
     * Loads a model whose file has been checked.
     *
     * @param parts all files of the model, in order
     * @param mapped whether they are mapped
     * @throws EngineException with what llama.cpp says, if it cannot load it
     */
    public static NativeModel load(
            NativeRuntime runtime,
            List<Path> parts,
            boolean mapped,
            String architecture,
            int vocabSize,
            Placing placing,
            LoadProgress progress) {
        AtomicReference<RuntimeException> givenUp = new AtomicReference<>();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment callback = Upcalls.progress(
                    fraction -> {
                        try {
                            progress.loaded(fraction);
                            return true;
                        } catch (RuntimeException e) {
                            givenUp.set(e);
                            return false;
                        }
                    },
                    arena);
            ModelParams params = new ModelParams(
                    placing.devices.stream().map(Device::pointer).toList(),
                    placing.gpuLayers,
                    placing.splitMode,
                    placing.tensorSplit,
                    mapped,
                    architecture,
                    vocabSize,
                    callback);
            runtime.log().forgetErrors();
            MemorySegment pointer = runtime.llama().loadModel(parts, params);
            if (givenUp.get() != null) {
                if (!Llama.isNull(pointer)) {
                    runtime.llama().freeModel(pointer);
                }
                throw givenUp.get();
            }
            if (Llama.isNull(pointer)) {
                throw new EngineException(
                        "llama.cpp could not load " + parts.getFirst().getFileName() + ": "
                                + NativeContext.reasons(runtime)
                                + "; a device may have too little memory (lower gpu-layers), or the file may be damaged.");
            }
            return new NativeModel(runtime, pointer);
        }
    }

    NativeRuntime runtime() {
        return runtime;
    }

    MemorySegment pointer() {
        return pointer;
    }

    /** Tokens of the vocabulary: the length of a row of logits. */
    public int vocabSize() {
        return runtime.llama().vocabSize(pointer);
    }

    /** Whether it keeps a state that cannot be cut at any position, as models with recurrent layers do. */
    public boolean keepsState() {
        return keepsState;
    }

    @Override
    public void close() {
        runtime.llama().freeModel(pointer);
    }
}
