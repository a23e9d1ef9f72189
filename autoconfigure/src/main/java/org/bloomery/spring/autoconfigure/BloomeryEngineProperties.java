package org.bloomery.spring.autoconfigure;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.FlashAttention;
import org.bloomery.engine.backend.DeviceOptions.SplitMode;
import org.bloomery.engine.backend.Isolation;
import org.bloomery.engine.format.LoadMode;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.core.io.Resource;

/**
 * How the engine runs the model.
 *
 * @param backend What computes: auto for the best one available, or a backend's name: java or native.
 * @param kernels Inner loops of the Java backend: auto, machine, vector or scalar. machine needs
 *     --enable-native-access=ALL-UNNAMED, vector needs --add-modules jdk.incubator.vector.
 * @param contextLength Tokens a conversation may hold. 0 for the smaller of the model's own and 8,192.
 * @param maxSequences Conversations decoded together, 1 to 256. Each has its share of the cache.
 * @param batchTokens Most tokens of one forward pass, 16 to 8,192. More read a long prompt faster and hold up others
 *     longer.
 * @param queueCapacity Requests that may wait, 0 to 100,000. Further ones are refused.
 * @param threads Compute threads, 1 to 1,024. 0 to plan from CPU affinity and quota.
 * @param loadMode How the file comes into memory. map shares its pages with other processes, copy is safe from changes
 *     of the file, auto maps where nobody else can write the file.
 * @param kvCacheType Element type of the key/value cache: F16, F32, Q8_0, or with the native backend Q4_0.
 * @param timeout Most time a request may take from submission to the end, unless it names its own.
 * @param prefixReuse Whether a conversation's earlier turns stay in the cache for its next one.
 * @param repack Whether the Java backend may keep a second copy of the weights in memory, in the layout that its kernels
 *     read fastest. Made in the background after the first answer has begun, and only if the memory is there.
 * @param chatTemplate Replaces the model's own chat template.
 * @param isolation Which process the backend computes in: in-process, or worker for a child JVM that is started again when
 *     native code crashes.
 * @param libraryPath Folder that holds the libraries of the native backend. Unless set, those of a natives artifact on the
 *     class path, else the system's.
 * @param gpuLayers Layers that the native backend places on devices: auto for as many as fit their free memory, or a
 *     number; 0 keeps all on the CPU. The output layer counts as one.
 * @param devices Names of the devices to use, such as Vulkan0 or CUDA0, at most 16. Unless set, every one that is no CPU.
 * @param splitMode How several devices share a model: layer, row, or none for the first device alone.
 * @param tensorSplit Share of the model for each device, in their order. Unless set, by free memory.
 * @param rpcServers Servers of llama.cpp's RPC backend to use as devices, each host:port, at most 16. The connection is
 *     neither encrypted nor authenticated.
 * @param flashAttention Whether the native backend computes attention in one fused step: auto, on or off. A Q8_0 or Q4_0
 *     cache needs it.
 * @param startup When the model is loaded: blocking before the application has started, background while it starts and
 *     after; until then requests are refused and readiness is down.
 * @param stallTimeout Shortest time without a step that counts as a stall while there is work; never less than twenty usual
 *     steps. A stalled engine is down and gives its step up.
 * @param shutdownTimeout Most time that running answers have to end when the application stops. Keep it below
 *     spring.lifecycle.timeout-per-shutdown-phase.
 */
@ConfigurationProperties(BloomeryEngineProperties.PREFIX)
public record BloomeryEngineProperties(
        @DefaultValue("auto") String backend,
        @DefaultValue("auto") String kernels,
        @DefaultValue("0") int contextLength,
        @DefaultValue("8") int maxSequences,
        @DefaultValue("512") int batchTokens,
        @DefaultValue("64") int queueCapacity,
        @DefaultValue("0") int threads,
        @DefaultValue("auto") LoadMode loadMode,
        @DefaultValue("F16") String kvCacheType,
        @DefaultValue("10m") Duration timeout,
        @DefaultValue("true") boolean prefixReuse,
        @DefaultValue("true") boolean repack,
        @Nullable Resource chatTemplate,
        @DefaultValue("in-process") Isolation isolation,
        @Nullable Path libraryPath,
        @DefaultValue("auto") String gpuLayers,
        @DefaultValue List<String> devices,
        @DefaultValue("layer") SplitMode splitMode,
        @DefaultValue List<Double> tensorSplit,
        @DefaultValue List<String> rpcServers,
        @DefaultValue("auto") FlashAttention flashAttention,
        @DefaultValue("blocking") Startup startup,
        @DefaultValue("30s") Duration stallTimeout,
        @DefaultValue("20s") Duration shutdownTimeout) {

    static final String PREFIX = "bloomery.engine";

    /** The default of {@code stallTimeout}. */
    static final Duration STALL_TIMEOUT = Duration.ofSeconds(30);

    /** @throws InvalidOptionException naming the property, its value and its range */
    public BloomeryEngineProperties {
        if (stallTimeout.isNegative() || stallTimeout.isZero()) {
            throw new InvalidOptionException(
                    "Property '" + PREFIX + ".stall-timeout' is " + stallTimeout + "; it must be positive.");
        }
        if (shutdownTimeout.isNegative()) {
            throw new InvalidOptionException(
                    "Property '" + PREFIX + ".shutdown-timeout' is " + shutdownTimeout + "; it must not be negative.");
        }
    }

    /**
     * How to open this model.
     *
     * @throws InvalidOptionException naming the property, its value and its range
     */
    EngineOptions toOptions(Path model) {
        return OptionNames.under(
                PREFIX,
                () -> EngineOptions.builder(model)
                        .backend(backend)
                        .kernels(kernels)
                        .contextLength(contextLength)
                        .maxSequences(maxSequences)
                        .batchTokens(batchTokens)
                        .queueCapacity(queueCapacity)
                        .threads(threads)
                        .loadMode(loadMode)
                        .cacheType(kvCacheType)
                        .defaultTimeout(timeout)
                        .prefixReuse(prefixReuse)
                        .repack(repack)
                        .chatTemplate(template())
                        .isolation(isolation)
                        .devices(new DeviceOptions(
                                libraryPath,
                                DeviceOptions.gpuLayers(gpuLayers),
                                devices,
                                splitMode,
                                tensorSplit,
                                rpcServers,
                                flashAttention))
                        .build());
    }

    private @Nullable String template() {
        try {
            return chatTemplate == null ? null : chatTemplate.getContentAsString(StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new InvalidOptionException(
                    "Option 'chat-template' is " + chatTemplate + ", which cannot be read; check the location.", e);
        }
    }
}
