package org.bloomery.nativeengine.binding;

import static java.lang.foreign.MemoryLayout.paddingLayout;
import static java.lang.foreign.MemoryLayout.structLayout;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/** Structs of {@code llama.h}, field by field in their order. Compared with a C compiler's view by a test. */
final class Layouts {

    static final StructLayout MODEL_PARAMS = structLayout(
                    ADDRESS.withName("devices"),
                    ADDRESS.withName("tensor_buft_overrides"),
                    JAVA_INT.withName("n_gpu_layers"),
                    JAVA_INT.withName("split_mode"),
                    JAVA_INT.withName("load_mode"),
                    JAVA_INT.withName("lazy_mode"),
                    JAVA_INT.withName("main_gpu"),
                    paddingLayout(4),
                    ADDRESS.withName("tensor_split"),
                    ADDRESS.withName("progress_callback"),
                    ADDRESS.withName("progress_callback_user_data"),
                    ADDRESS.withName("kv_overrides"),
                    JAVA_BOOLEAN.withName("vocab_only"),
                    JAVA_BOOLEAN.withName("check_tensors"),
                    JAVA_BOOLEAN.withName("use_extra_bufts"),
                    JAVA_BOOLEAN.withName("no_host"),
                    JAVA_BOOLEAN.withName("no_alloc"),
                    JAVA_BOOLEAN.withName("load_mtp"),
                    paddingLayout(2))
            .withName("llama_model_params");

    static final StructLayout CONTEXT_PARAMS = structLayout(
                    JAVA_INT.withName("n_ctx"),
                    JAVA_INT.withName("n_batch"),
                    JAVA_INT.withName("n_ubatch"),
                    JAVA_INT.withName("n_seq_max"),
                    JAVA_INT.withName("n_rs_seq"),
                    JAVA_INT.withName("n_outputs_max"),
                    JAVA_INT.withName("n_outputs_max_per_seq"),
                    JAVA_INT.withName("n_threads"),
                    JAVA_INT.withName("n_threads_batch"),
                    JAVA_INT.withName("ctx_type"),
                    JAVA_INT.withName("rope_scaling_type"),
                    JAVA_INT.withName("pooling_type"),
                    JAVA_INT.withName("attention_type"),
                    JAVA_INT.withName("flash_attn_type"),
                    JAVA_FLOAT.withName("rope_freq_base"),
                    JAVA_FLOAT.withName("rope_freq_scale"),
                    JAVA_FLOAT.withName("yarn_ext_factor"),
                    JAVA_FLOAT.withName("yarn_attn_factor"),
                    JAVA_FLOAT.withName("yarn_beta_fast"),
                    JAVA_FLOAT.withName("yarn_beta_slow"),
                    JAVA_INT.withName("yarn_orig_ctx"),
                    JAVA_FLOAT.withName("defrag_thold"),
                    ADDRESS.withName("cb_eval"),
                    ADDRESS.withName("cb_eval_user_data"),
                    JAVA_INT.withName("type_k"),
                    JAVA_INT.withName("type_v"),
                    ADDRESS.withName("abort_callback"),
                    ADDRESS.withName("abort_callback_data"),
                    JAVA_BOOLEAN.withName("embeddings"),
                    JAVA_BOOLEAN.withName("offload_kqv"),
                    JAVA_BOOLEAN.withName("no_perf"),
                    JAVA_BOOLEAN.withName("op_offload"),
                    JAVA_BOOLEAN.withName("swa_full"),
                    JAVA_BOOLEAN.withName("kv_unified"),
                    paddingLayout(2),
                    ADDRESS.withName("samplers"),
                    JAVA_LONG.withName("n_samplers"),
                    ADDRESS.withName("ctx_other"))
            .withName("llama_context_params");

    static final StructLayout BATCH = structLayout(
                    JAVA_INT.withName("n_tokens"),
                    paddingLayout(4),
                    ADDRESS.withName("token"),
                    ADDRESS.withName("embd"),
                    ADDRESS.withName("pos"),
                    ADDRESS.withName("n_seq_id"),
                    ADDRESS.withName("seq_id"),
                    ADDRESS.withName("logits"))
            .withName("llama_batch");

    /** Value as text; numbers lie at the same offset. */
    static final StructLayout KV_OVERRIDE = structLayout(
                    JAVA_INT.withName("tag"),
                    MemoryLayout.sequenceLayout(128, ValueLayout.JAVA_BYTE).withName("key"),
                    paddingLayout(4),
                    MemoryLayout.sequenceLayout(128, ValueLayout.JAVA_BYTE).withName("val_str"))
            .withByteAlignment(8)
            .withName("llama_model_kv_override");

    private Layouts() {}

    private static long offset(StructLayout struct, String field) {
        return struct.byteOffset(PathElement.groupElement(field));
    }

    static void set(MemorySegment struct, StructLayout layout, String field, int value) {
        struct.set(JAVA_INT, offset(layout, field), value);
    }

    static void set(MemorySegment struct, StructLayout layout, String field, boolean value) {
        struct.set(JAVA_BOOLEAN, offset(layout, field), value);
    }

    static void set(MemorySegment struct, StructLayout layout, String field, MemorySegment value) {
        struct.set(ADDRESS, offset(layout, field), value);
    }

    /** A field's value, whatever its type. */
    static Object get(MemorySegment struct, StructLayout layout, String field) {
        long offset = offset(layout, field);
        return switch (layout.select(PathElement.groupElement(field))) {
            case ValueLayout.OfInt type -> struct.get(type, offset);
            case ValueLayout.OfFloat type -> struct.get(type, offset);
            case ValueLayout.OfLong type -> struct.get(type, offset);
            case ValueLayout.OfBoolean type -> struct.get(type, offset);
            default -> struct.get(ADDRESS, offset).address();
        };
    }
}
