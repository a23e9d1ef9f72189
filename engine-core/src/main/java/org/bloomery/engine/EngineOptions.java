package org.bloomery.engine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.Isolation;
import org.bloomery.engine.format.LoadMode;
import org.jspecify.annotations.Nullable;

/**
 * How to open a model. Made by {@link #builder}; every number is checked when the options are built, and against the
 * model when it is opened.
 *
 * @param model the GGUF file, or the first of a split model
 * @param loadMode map the file or copy it
 * @param backend {@code auto}, or a provider's name
 * @param kernels {@code auto}, {@code machine}, {@code vector} or {@code scalar}
 * @param contextLength tokens a conversation may hold; 0 for the smaller of the model's own and 8,192
 * @param maxSequences conversations decoded together, 1 to 256
 * @param batchTokens most tokens of one forward pass, 16 to 8,192: the size of a prefill chunk
 * @param queueCapacity requests that may wait, 0 to 100,000
 * @param queueTokens tokens that the prompts of waiting requests may have together, 0 for no limit
 * @param threads compute threads, 1 to 1,024; 0 to plan from affinity and CPU quota
 * @param cacheType element type of the key/value cache: {@code F16}, {@code F32}, {@code Q8_0}, or with the native backend
 *     {@code Q4_0}
 * @param defaultTimeout longest a request may take unless it names its own
 * @param prefixReuse whether a conversation's earlier turns are kept in the cache for its next one
 * @param repack whether the Java backend may keep a copy of the weights in the layout that its kernels read fastest, if
 *     the memory is there
 * @param chatTemplate replaces the model's own chat template, or null
 * @param devices the native library and the devices it computes on
 * @param isolation which process the backend computes in
 */
public record EngineOptions(
        Path model,
        LoadMode loadMode,
        String backend,
        String kernels,
        int contextLength,
        int maxSequences,
        int batchTokens,
        int queueCapacity,
        long queueTokens,
        int threads,
        String cacheType,
        Duration defaultTimeout,
        boolean prefixReuse,
        boolean repack,
        @Nullable String chatTemplate,
        DeviceOptions devices,
        Isolation isolation) {

    public EngineOptions {
        oneOf("kernels", kernels, List.of("auto", "machine", "vector", "scalar"));
        oneOf("kv-cache-type", cacheType, List.of("F16", "F32", "Q8_0", "Q4_0"));
        range("context-length", contextLength, 0, 1 << 24);
        range("max-sequences", maxSequences, 1, 256);
        range("batch-tokens", batchTokens, 16, 8192);
        if (batchTokens < maxSequences) {
            throw new InvalidOptionException("Option 'batch-tokens' is " + batchTokens
                    + "; it must be at least max-sequences, which is " + maxSequences + ".");
        }
        range("queue-capacity", queueCapacity, 0, 100_000);
        range("queue-tokens", queueTokens, 0, Long.MAX_VALUE);
        range("threads", threads, 0, 1024);
        if (defaultTimeout.isNegative() || defaultTimeout.isZero()) {
            throw new InvalidOptionException("Option 'timeout' is " + defaultTimeout + "; it must be positive.");
        }
    }

    /** Options for this model with every other value at its default. */
    public static Builder builder(Path model) {
        return new Builder(model);
    }

    /** The same with another limit on the tokens that may wait. */
    public EngineOptions withQueueTokens(long others) {
        return new EngineOptions(
                model,
                loadMode,
                backend,
                kernels,
                contextLength,
                maxSequences,
                batchTokens,
                queueCapacity,
                others,
                threads,
                cacheType,
                defaultTimeout,
                prefixReuse,
                repack,
                chatTemplate,
                devices,
                isolation);
    }

    private static void range(String option, long value, long least, long most) {
        if (value < least || value > most) {
            throw new InvalidOptionException(
                    "Option '" + option + "' is " + value + "; it must be " + least + " to " + most + ".");
        }
    }

    private static void oneOf(String option, String value, List<String> allowed) {
        if (!allowed.contains(value)) {
            throw new InvalidOptionException("Option '" + option + "' is '" + value + "'; it must be one of "
                    + String.join(", ", allowed) + ".");
        }
    }

    /** Collects options; not safe for use by several threads. */
    public static final class Builder {

        private final Path model;
        private LoadMode loadMode = LoadMode.AUTO;
        private String backend = "auto";
        private String kernels = "auto";
        private int contextLength;
        private int maxSequences = 8;
        private int batchTokens = 512;
        private int queueCapacity = 64;
        private long queueTokens;
        private int threads;
        private String cacheType = "F16";
        private Duration defaultTimeout = Duration.ofMinutes(10);
        private boolean prefixReuse = true;
        private boolean repack = true;
        private @Nullable String chatTemplate;
        private DeviceOptions devices = DeviceOptions.DEFAULT;
        private Isolation isolation = Isolation.IN_PROCESS;

        private Builder(Path model) {
            this.model = model;
        }

        public Builder loadMode(LoadMode loadMode) {
            this.loadMode = loadMode;
            return this;
        }

        public Builder backend(String backend) {
            this.backend = backend;
            return this;
        }

        public Builder kernels(String kernels) {
            this.kernels = kernels;
            return this;
        }

        public Builder contextLength(int contextLength) {
            this.contextLength = contextLength;
            return this;
        }

        public Builder maxSequences(int maxSequences) {
            this.maxSequences = maxSequences;
            return this;
        }

        public Builder batchTokens(int batchTokens) {
            this.batchTokens = batchTokens;
            return this;
        }

        public Builder queueCapacity(int queueCapacity) {
            this.queueCapacity = queueCapacity;
            return this;
        }

        public Builder queueTokens(long queueTokens) {
            this.queueTokens = queueTokens;
            return this;
        }

        public Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        public Builder cacheType(String cacheType) {
            this.cacheType = cacheType;
            return this;
        }

        public Builder defaultTimeout(Duration defaultTimeout) {
            this.defaultTimeout = defaultTimeout;
            return this;
        }

        public Builder prefixReuse(boolean prefixReuse) {
            this.prefixReuse = prefixReuse;
            return this;
        }

        public Builder repack(boolean repack) {
            this.repack = repack;
            return this;
        }

        public Builder chatTemplate(@Nullable String chatTemplate) {
            this.chatTemplate = chatTemplate;
            return this;
        }

        public Builder devices(DeviceOptions devices) {
            this.devices = devices;
            return this;
        }

        public Builder isolation(Isolation isolation) {
            this.isolation = isolation;
            return this;
        }

        /** @throws InvalidOptionException naming the option, its value and its range */
        public EngineOptions build() {
            return new EngineOptions(
                    model,
                    loadMode,
                    backend,
                    kernels,
                    contextLength,
                    maxSequences,
                    batchTokens,
                    queueCapacity,
                    queueTokens,
                    threads,
                    cacheType,
                    defaultTimeout,
                    prefixReuse,
                    repack,
                    chatTemplate,
                    devices,
                    isolation);
        }
    }
}
