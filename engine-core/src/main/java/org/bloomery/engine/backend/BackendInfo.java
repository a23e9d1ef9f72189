package org.bloomery.engine.backend;

/**
 * What a backend loaded and how.
 *
 * @param backend the provider's name
 * @param kernels the kernel tier in use, such as {@code vector}
 * @param kernelsReason why that tier, in one sentence
 * @param threads compute threads
 * @param threadsReason why that many, in a few words
 * @param devices what computes and which layers lie where, in one line
 * @param vocabSize length of a row of logits
 * @param contextLength tokens each sequence may hold
 * @param maxSequences sequences the cache holds at once
 * @param maxBatchTokens most tokens of one batch
 * @param memory bytes by purpose
 */
public record BackendInfo(
        String backend,
        String kernels,
        String kernelsReason,
        int threads,
        String threadsReason,
        String devices,
        int vocabSize,
        int contextLength,
        int maxSequences,
        int maxBatchTokens,
        MemoryPlan memory) {}
