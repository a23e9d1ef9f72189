package org.bloomery.nativeengine.binding;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * How to load a model. The file's own vocabulary is not read by native code: it is told that there is none, only its
 * size.
 *
 * @param devices devices to place layers on; empty for none
 * @param gpuLayers layers to place on them, the output layer being one more
 * @param splitMode one of {@link Llama}'s
 * @param tensorSplit share of each device; empty for shares by free memory
 * @param mapped whether the file is mapped or read
 * @param architecture as in the file
 * @param vocabSize tokens of the vocabulary
 * @param progress a stub of {@link Upcalls#progress}
 */
public record ModelParams(
        List<MemorySegment> devices,
        int gpuLayers,
        int splitMode,
        List<Double> tensorSplit,
        boolean mapped,
        String architecture,
        int vocabSize,
        MemorySegment progress) {

    MemorySegment write(MemorySegment struct, Arena arena) {
        MemorySegment list = arena.allocate(ADDRESS, devices.size() + 1L);
        for (int i = 0; i < devices.size(); i++) {
            list.setAtIndex(ADDRESS, i, devices.get(i));
        }
        Layouts.set(struct, Layouts.MODEL_PARAMS, "devices", list);
        Layouts.set(struct, Layouts.MODEL_PARAMS, "n_gpu_layers", gpuLayers);
        Layouts.set(struct, Layouts.MODEL_PARAMS, "split_mode", splitMode);
        Layouts.set(struct, Layouts.MODEL_PARAMS, "load_mode", mapped ? Llama.LOAD_MODE_MMAP : Llama.LOAD_MODE_NONE);
        Layouts.set(struct, Layouts.MODEL_PARAMS, "lazy_mode", Llama.LAZY_MODE_OFF);
        if (!tensorSplit.isEmpty()) {
            // Native code reads as many as it supports devices
            MemorySegment shares = arena.allocate(JAVA_FLOAT, 256);
            for (int i = 0; i < tensorSplit.size(); i++) {
                shares.setAtIndex(JAVA_FLOAT, i, tensorSplit.get(i).floatValue());
            }
            Layouts.set(struct, Layouts.MODEL_PARAMS, "tensor_split", shares);
        }
        Layouts.set(struct, Layouts.MODEL_PARAMS, "progress_callback", progress);
        Layouts.set(struct, Layouts.MODEL_PARAMS, "kv_overrides", overrides(arena));
        return struct;
    }

    /** Ends with an entry whose key is empty. */
    private MemorySegment overrides(Arena arena) {
        long size = Layouts.KV_OVERRIDE.byteSize();
        MemorySegment entries = arena.allocate(3 * size, Layouts.KV_OVERRIDE.byteAlignment());
        MemorySegment model = entries.asSlice(0, size);
        key(model, Llama.OVERRIDE_STRING, "tokenizer.ggml.model");
        text(model, "val_str", "none");
        MemorySegment vocabulary = entries.asSlice(size, size);
        key(vocabulary, Llama.OVERRIDE_INT, architecture + ".vocab_size");
        vocabulary.set(JAVA_LONG, offset("val_str"), vocabSize);
        return entries;
    }

    private static void key(MemorySegment entry, int tag, String key) {
        entry.set(JAVA_INT, offset("tag"), tag);
        text(entry, "key", key);
    }

    private static void text(MemorySegment entry, String field, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= 128) {
            throw new IllegalArgumentException("'" + text + "' is too long for an override");
        }
        MemorySegment.copy(bytes, 0, entry, JAVA_BYTE, offset(field), bytes.length);
    }

    private static long offset(String field) {
        return Layouts.KV_OVERRIDE.byteOffset(PathElement.groupElement(field));
    }
}
