package org.bloomery.engine.backend;

/**
 * What a backend is asked for.
 *
 * @param contextLength tokens each sequence may hold, at least 1
 * @param maxSequences sequences the cache holds at once, at least 1
 * @param maxBatchTokens most tokens of one {@link Batch}, at least {@code maxSequences}
 * @param threads compute threads, at least 1; 0 to let the backend plan from affinity and CPU quota
 * @param kernels kernel tier of the Java backend to force ({@code machine}, {@code vector}, {@code scalar}), or {@code auto}
 * @param cacheType element type of the key/value cache, such as {@code F16}
 * @param repack whether the Java backend may keep a copy of the weights in the layout that its kernels read fastest, if
 *     the memory is there
 * @param devices the native library and its devices
 */
public record BackendOptions(
        int contextLength,
        int maxSequences,
        int maxBatchTokens,
        int threads,
        String kernels,
        String cacheType,
        boolean repack,
        DeviceOptions devices) {

    /** Options that leave repacking, library and devices to the backend. */
    public BackendOptions(
            int contextLength, int maxSequences, int maxBatchTokens, int threads, String kernels, String cacheType) {
        this(contextLength, maxSequences, maxBatchTokens, threads, kernels, cacheType, true, DeviceOptions.DEFAULT);
    }
}
