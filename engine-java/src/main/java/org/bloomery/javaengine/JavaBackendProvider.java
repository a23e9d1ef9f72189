package org.bloomery.javaengine;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.AvailableMemory;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.MemoryCheck;
import org.bloomery.engine.backend.MemoryPlan;
import org.bloomery.engine.backend.ThreadPlan;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.arch.Architectures;
import org.bloomery.javaengine.arch.TensorBinding;
import org.bloomery.javaengine.cache.CacheType;
import org.bloomery.javaengine.cache.KvCache;
import org.bloomery.javaengine.kernel.ActivationForm;
import org.bloomery.javaengine.kernel.KernelLookup;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.kernel.WeightSample;
import org.bloomery.javaengine.quant.QuantType;
import org.bloomery.javaengine.quant.QuantTypes;
import org.bloomery.javaengine.tensor.Repacking;
import org.bloomery.javaengine.tensor.WeightMatrix;
import org.bloomery.javaengine.tensor.WorkerPool;

/** Runs models in Java, on every machine that has a JVM. */
public final class JavaBackendProvider implements BackendProvider {

    private static final Set<TensorType> TYPES = Collections.unmodifiableSet(
            EnumSet.copyOf(QuantTypes.all().stream().map(QuantType::type).toList()));

    /** Columns of the longest row that kernels are tried on. */
    private static final int LONGEST_SAMPLE = 1 << 16;

    @Override
    public String name() {
        return "java";
    }

    @Override
    public Availability probe(DeviceOptions devices) {
        return new Availability.Available("the Java backend runs on every JVM");
    }

    @Override
    public Availability supports(ModelFile model) {
        try {
            Architectures.check(model);
        } catch (EngineException e) {
            return new Availability.Unavailable(String.valueOf(e.getMessage()));
        }
        Set<TensorType> unknown = EnumSet.noneOf(TensorType.class);
        for (TensorInfo tensor : model.tensors()) {
            if (!TYPES.contains(tensor.type())) {
                unknown.add(tensor.type());
            }
        }
        if (!unknown.isEmpty()) {
            return new Availability.Unavailable(
                    "The model has tensors of type " + unknown + "; the Java backend reads " + TYPES + ".");
        }
        return new Availability.Available("architecture and tensor types are supported");
    }

    @Override
    public Backend open(ModelFile model, BackendOptions options, LoadProgress progress) {
        CacheType cacheType = check(options);
        ThreadPlan threads = ThreadPlan.of(options.threads());
        Kernels kernels = KernelLookup.choose(options.kernels(), samples(model));
        TensorInfo none = new TensorInfo("", TensorType.F32, List.of(1L), 0, 0, Float.BYTES);
        Map<String, WeightMatrix> matrices = new LinkedHashMap<>();
        TensorBinding binding = new TensorBinding(
                TYPES,
                tensor -> matrices.computeIfAbsent(
                        tensor.name(), name -> WeightMatrix.of(tensor, model.data(tensor), kernels)),
                WeightMatrix.of(none, MemorySegment.ofArray(new byte[Float.BYTES]), kernels));
        Architectures.Model loaded = Architectures.load(model, binding, progress);

        MemoryPlan plan = plan(model, loaded, options, cacheType, kernels, threads.threads());
        AvailableMemory available = AvailableMemory.now();
        MemoryCheck.refuseTooLarge(plan, model.mapped(), options, available, MemoryCheck.heapLeft(plan.workspace()));
        // Copies beside weights that are copies already would be one too many
        long copies = options.repack() && model.mapped() ? Repacking.size(matrices.values()) : 0;
        Optional<Repacking> repacking = copies > 0 && plan.total() + copies <= available.bytes()
                ? Repacking.of(matrices.values())
                : Optional.empty();

        progress.loaded(1);
        return new JavaBackend(
                loaded,
                options,
                kernels,
                threads,
                repacking.isPresent() ? new MemoryPlan(plan.weights(), copies, plan.cache(), plan.workspace()) : plan,
                new WorkerPool(threads.threads()),
                new KvCache(loaded.cacheShape(), cacheType, options.maxSequences()),
                repacking.orElse(null));
    }

    /** The first rows of one matrix of each type. */
    private static List<WeightSample> samples(ModelFile model) {
        Map<TensorType, WeightSample> samples = new EnumMap<>(TensorType.class);
        for (TensorInfo tensor : model.tensors()) {
            if (tensor.columns() <= LONGEST_SAMPLE) {
                samples.computeIfAbsent(
                        tensor.type(),
                        type -> new WeightSample(
                                type, model.data(tensor), (int) Math.min(tensor.rows(), Integer.MAX_VALUE), (int)
                                        tensor.columns()));
            }
        }
        return List.copyOf(samples.values());
    }

    private static CacheType check(BackendOptions options) {
        atLeast("context-length", options.contextLength(), 1);
        atLeast("max-sequences", options.maxSequences(), 1);
        atLeast("batch-tokens", options.maxBatchTokens(), options.maxSequences());
        for (CacheType type : CacheType.values()) {
            if (type.name().equals(options.cacheType())) {
                return type;
            }
        }
        throw new InvalidOptionException(
                "Option 'kv-cache-type' is '" + options.cacheType() + "'; it must be one of F16, F32, Q8_0.");
    }

    private static void atLeast(String option, int value, int least) {
        if (value < least) {
            throw new InvalidOptionException(
                    "Option '" + option + "' is " + value + "; it must be at least " + least + ".");
        }
    }

    private static MemoryPlan plan(
            ModelFile model,
            Architectures.Model loaded,
            BackendOptions options,
            CacheType cacheType,
            Kernels kernels,
            int threads) {
        long weights = model.tensors().stream().mapToLong(TensorInfo::byteSize).sum();
        long cache = KvCache.bytes(loaded.cacheShape(), cacheType, options.maxSequences(), options.contextLength());
        Set<ActivationForm> forms = model.tensors().stream()
                .map(tensor -> kernels.matrix(tensor.type()).form())
                .collect(Collectors.toSet());
        return new MemoryPlan(weights, 0, cache, JavaBackend.workspaceBytes(loaded, options, forms, threads));
    }
}
