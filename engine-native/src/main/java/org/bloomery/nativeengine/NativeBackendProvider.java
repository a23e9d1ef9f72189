package org.bloomery.nativeengine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.AvailableMemory;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.FlashAttention;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.MemoryCheck;
import org.bloomery.engine.backend.MemoryPlan;
import org.bloomery.engine.backend.ThreadPlan;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.nativeengine.binding.Llama;
import org.bloomery.nativeengine.handle.Device;
import org.bloomery.nativeengine.handle.NativeContext;
import org.bloomery.nativeengine.handle.NativeModel;
import org.bloomery.nativeengine.handle.NativeRuntime;
import org.bloomery.nativeengine.loader.LibrarySearch;

/** Runs models on llama.cpp, where its libraries are found. */
public final class NativeBackendProvider implements BackendProvider {

    /** Rows of logits that native code has room for at once; where more are wanted, a batch is run in parts. */
    private static final int OUTPUTS = 32;

    /** Positions of the cache come in multiples of this. */
    private static final int POSITION_STEP = 256;

    private static final int MOST_SEQUENCES = 256;

    /** Share of loading that the model takes; the rest is for the context. */
    private static final double MODEL_SHARE = 0.95;

    private static final Map<String, Integer> CACHE_TYPES =
            Map.of("F32", Llama.TYPE_F32, "F16", Llama.TYPE_F16, "Q8_0", Llama.TYPE_Q8_0, "Q4_0", Llama.TYPE_Q4_0);

    @Override
    public String name() {
        return "native";
    }

    @Override
    public Availability probe(DeviceOptions devices) {
        if (search(devices) instanceof LibrarySearch.Found libraries) {
            try {
                NativeRuntime runtime = NativeRuntime.of(libraries);
                return new Availability.Available("llama.cpp " + runtime.version() + " from " + libraries.reason());
            } catch (InvalidOptionException e) {
                return new Availability.Unavailable(String.valueOf(e.getMessage()));
            }
        }
        return new Availability.Unavailable(search(devices).reason());
    }

    private static LibrarySearch search(DeviceOptions devices) {
        return LibrarySearch.search(devices.libraryPath(), NativeBackendProvider.class.getClassLoader());
    }

    @Override
    public Availability supports(ModelFile model) {
        List<String> problems = ModelChecks.problems(model);
        return problems.isEmpty()
                ? new Availability.Available("architecture, types and hyper-parameters are as llama.cpp expects them")
                : new Availability.Unavailable(problems.getFirst());
    }

    @Override
    public Backend open(ModelFile model, BackendOptions options, LoadProgress progress) {
        ModelChecks.Facts facts = ModelChecks.check(model);
        int cacheType = check(options);
        if (!(search(options.devices()) instanceof LibrarySearch.Found libraries)) {
            throw new InvalidOptionException(search(options.devices()).reason());
        }
        NativeRuntime runtime = NativeRuntime.of(libraries);
        ThreadPlan threads = ThreadPlan.of(options.threads());

        int positions =
                Math.toIntExact(Math.ceilDiv((long) options.contextLength() * options.maxSequences(), POSITION_STEP)
                        * (long) POSITION_STEP);
        int outputs = Math.min(options.maxBatchTokens(), Math.max(OUTPUTS, options.maxSequences()));
        long workspace = workspaceBytes(facts, options, outputs);
        long[] cache = cacheBytes(facts, options.cacheType(), positions);
        Placement placement = Placement.plan(
                runtime.devices(),
                remote(runtime, options.devices()),
                options.devices(),
                Placement.Demand.of(model.tensors(), cache, workspace));
        MemoryPlan plan = plan(model, cache, workspace);
        refuseTooLarge(plan, placement, options);

        NativeModel loaded = NativeModel.load(
                runtime,
                model.parts(),
                model.mapped(),
                facts.architecture(),
                facts.vocabSize(),
                new NativeModel.Placing(
                        placement.devices(),
                        placement.layers(),
                        splitMode(options.devices()),
                        options.devices().tensorSplit()),
                fraction -> progress.loaded(fraction * MODEL_SHARE));
        boolean opened = false;
        try {
            NativeContext context = new NativeContext(
                    loaded,
                    new NativeContext.Shape(
                            positions,
                            options.maxBatchTokens(),
                            options.maxSequences(),
                            outputs,
                            threads.threads(),
                            flashAttention(options.devices().flashAttention(), options.cacheType()),
                            cacheType));
            BackendInfo info = new BackendInfo(
                    name(),
                    runtime.cpuVariant(),
                    "llama.cpp " + runtime.version() + " from " + libraries.reason(),
                    threads.threads(),
                    threads.reason(),
                    placement.line(),
                    loaded.vocabSize(),
                    options.contextLength(),
                    options.maxSequences(),
                    options.maxBatchTokens(),
                    plan);
            opened = true;
            progress.loaded(1);
            return new NativeBackend(info, loaded, context, outputs);
        } finally {
            if (!opened) {
                loaded.close();
            }
        }
    }

    /** Checks the options; returns the cache's type as llama.cpp knows it. */
    private static int check(BackendOptions options) {
        atLeast("context-length", options.contextLength(), 1);
        atLeast("max-sequences", options.maxSequences(), 1);
        atLeast("batch-tokens", options.maxBatchTokens(), options.maxSequences());
        if (options.maxSequences() > MOST_SEQUENCES) {
            throw new InvalidOptionException("Option 'max-sequences' is " + options.maxSequences()
                    + "; llama.cpp runs at most " + MOST_SEQUENCES + ".");
        }
        if ((long) options.contextLength() * options.maxSequences() > Integer.MAX_VALUE - POSITION_STEP) {
            throw new InvalidOptionException("Option 'context-length' is " + options.contextLength() + " for "
                    + options.maxSequences() + " sequences; llama.cpp's cache holds at most 2^31 positions.");
        }
        Integer cacheType = CACHE_TYPES.get(options.cacheType());
        if (cacheType == null) {
            throw new InvalidOptionException(
                    "Option 'kv-cache-type' is '" + options.cacheType() + "'; it must be one of F16, F32, Q8_0, Q4_0.");
        }
        if (options.cacheType().startsWith("Q") && options.devices().flashAttention() == FlashAttention.OFF) {
            throw new InvalidOptionException("Option 'flash-attention' is off, but a cache of type "
                    + options.cacheType() + " needs it; set it to auto, or kv-cache-type to F16.");
        }
        return cacheType;
    }

    private static void atLeast(String option, int value, int least) {
        if (value < least) {
            throw new InvalidOptionException(
                    "Option '" + option + "' is " + value + "; it must be at least " + least + ".");
        }
    }

    private static List<Device> remote(NativeRuntime runtime, DeviceOptions options) {
        List<Device> devices = new ArrayList<>();
        options.rpcServers().forEach(server -> devices.addAll(runtime.rpcDevices(server)));
        return devices;
    }

    private static int splitMode(DeviceOptions options) {
        return switch (options.splitMode()) {
            case NONE -> Llama.SPLIT_MODE_NONE;
            case LAYER -> Llama.SPLIT_MODE_LAYER;
            case ROW -> Llama.SPLIT_MODE_ROW;
        };
    }

    private static int flashAttention(FlashAttention wanted, String cacheType) {
        return switch (wanted) {
            // Fused attention rounds queries to half precision, against which an F32 cache was chosen
            case AUTO -> cacheType.equals("F32") ? Llama.FLASH_ATTENTION_OFF : Llama.FLASH_ATTENTION_AUTO;
            case ON -> Llama.FLASH_ATTENTION_ON;
            case OFF -> Llama.FLASH_ATTENTION_OFF;
        };
    }

    private static long[] cacheBytes(ModelChecks.Facts facts, String cacheType, int positions) {
        TensorType type = TensorType.valueOf(cacheType);
        long[] bytes = new long[facts.layers()];
        for (int layer = 0; layer < bytes.length; layer++) {
            long elements = Math.multiplyExact((long) facts.cacheElements()[layer], (long) positions);
            bytes[layer] = Math.multiplyExact(Math.ceilDiv(elements, type.blockSize()), (long) type.bytesPerBlock());
        }
        return bytes;
    }

    /** An estimate: what llama.cpp's graphs of one batch held for usual shapes, and the rows of logits. */
    private static long workspaceBytes(ModelChecks.Facts facts, BackendOptions options, int outputs) {
        long perToken = 16L * facts.embedding() * Float.BYTES;
        return perToken * options.maxBatchTokens() + 2L * outputs * facts.vocabSize() * Float.BYTES;
    }

    private static MemoryPlan plan(ModelFile model, long[] cache, long workspace) {
        long weights = model.tensors().stream().mapToLong(TensorInfo::byteSize).sum();
        return new MemoryPlan(weights, 0, java.util.Arrays.stream(cache).sum(), workspace);
    }

    private static void refuseTooLarge(MemoryPlan plan, Placement placement, BackendOptions options) {
        // What lies on devices was planned with their memory
        MemoryCheck.refuseTooLarge(
                new MemoryPlan(placement.hostWeights(), 0, placement.hostCache(), plan.workspace()),
                true,
                options,
                AvailableMemory.now(),
                Long.MAX_VALUE);
    }
}
