package org.bloomery.nativeengine.binding;

import java.lang.foreign.MemorySegment;

/**
 * How to open a context.
 *
 * @param positions positions the cache holds, of all sequences together
 * @param batchTokens most tokens of a batch
 * @param sequences most sequences, 1 to 256
 * @param outputs most tokens of a batch whose logits are wanted
 * @param threads compute threads
 * @param flashAttention one of {@link Llama}'s
 * @param cacheType element type of keys and values, one of {@link Llama}'s
 * @param abort a stub of {@link Upcalls#abort}
 */
public record ContextParams(
        int positions,
        int batchTokens,
        int sequences,
        int outputs,
        int threads,
        int flashAttention,
        int cacheType,
        MemorySegment abort) {

    MemorySegment write(MemorySegment struct) {
        set(struct, "n_ctx", positions);
        set(struct, "n_batch", batchTokens);
        set(struct, "n_ubatch", batchTokens);
        set(struct, "n_seq_max", sequences);
        set(struct, "n_outputs_max", outputs);
        set(struct, "n_outputs_max_per_seq", 0);
        set(struct, "n_threads", threads);
        set(struct, "n_threads_batch", threads);
        set(struct, "flash_attn_type", flashAttention);
        set(struct, "type_k", cacheType);
        set(struct, "type_v", cacheType);
        Layouts.set(struct, Layouts.CONTEXT_PARAMS, "abort_callback", abort);
        // One cache for all sequences: a batch of any mix is one pass over the weights, and a prefix is shared, not
        // copied
        Layouts.set(struct, Layouts.CONTEXT_PARAMS, "kv_unified", true);
        return struct;
    }

    private static void set(MemorySegment struct, String field, int value) {
        Layouts.set(struct, Layouts.CONTEXT_PARAMS, field, value);
    }
}
