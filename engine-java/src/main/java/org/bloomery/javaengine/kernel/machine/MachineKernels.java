package org.bloomery.javaengine.kernel.machine;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.AttentionKernel;
import org.bloomery.javaengine.kernel.ElementwiseKernel;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.kernel.MatrixKernel;

/** The tier in machine code; what it has no code for, it leaves to other kernels. */
public final class MachineKernels implements Kernels {

    /** What is asked of the system once; code stays loaded for as long as the JVM runs. */
    private static final class Loaded {

        private static final ExecutableMemory MEMORY = ExecutableMemory.find()
                .orElseThrow(() -> new IllegalStateException("the system has no functions for executable memory"));
        private static final Processor PROCESSOR = Processor.ask(MEMORY);
        private static final GroupedActivations BYTES = new ByteActivations(MEMORY);
        private static final GroupedActivations BRAIN_FLOATS = new Bf16Activations(MEMORY);
        private static final Map<Kind, MatrixKernel> KERNELS = new ConcurrentHashMap<>();

        private static final Map<Integer, AttentionTiles> ATTENTION = new ConcurrentHashMap<>();

        static AttentionTiles attention(int bits) {
            return ATTENTION.computeIfAbsent(bits, each -> AttentionTiles.of(MEMORY, each));
        }

        private static final Map<Integer, ElementwiseLoops> ELEMENTWISE = new ConcurrentHashMap<>();

        static ElementwiseLoops elementwise(int bits) {
            return ELEMENTWISE.computeIfAbsent(bits, each -> ElementwiseLoops.of(MEMORY, each));
        }

        private static final Map<Kind, LoadedCode> FLOATS = new ConcurrentHashMap<>();

        static LoadedCode floats(Kind kind) {
            int bits = kind.level.bits();
            return FLOATS.computeIfAbsent(
                    kind,
                    each -> new LoadedCode(
                            MEMORY, FloatCode.tokens(bits), tokens -> FloatCode.multiply(each.type, bits, tokens)));
        }

        static MatrixKernel kernel(Kind kind, MatrixKernel plain) {
            return KERNELS.computeIfAbsent(
                    kind,
                    each -> PackedMatrixKernel.of(
                            each.type, each.level, each.type == TensorType.BF16 ? BRAIN_FLOATS : BYTES, plain, MEMORY));
        }
    }

    private record Kind(FeatureLevel level, TensorType type) {}

    private final FeatureLevel level;
    private final String reason;
    private final Kernels plain;

    private MachineKernels(FeatureLevel level, String reason, Kernels plain) {
        this.level = level;
        this.reason = reason;
        this.plain = plain;
    }

    /**
     * The tier at the highest level of this processor.
     *
     * @param plain what is left: types that need no machine code, and what fills no vector; its kernels read activations
     *     as they are
     * @throws IllegalStateException with what is missing, as words after "because"
     */
    public static MachineKernels of(String reason, Kernels plain) {
        Processor processor = processor();
        Optional<FeatureLevel> level = Arrays.stream(FeatureLevel.values())
                .filter(each -> each.runsOn(processor))
                .findFirst();
        return of(
                level.orElseThrow(
                        () -> new IllegalStateException("the processor, or the system below this one, has no AVX2")),
                reason,
                plain);
    }

    /** The tier at this level, which the processor must have. */
    static MachineKernels of(FeatureLevel level, String reason, Kernels plain) {
        return new MachineKernels(level, reason, plain);
    }

    /** @throws IllegalStateException if nothing can be assembled here */
    static Processor processor() {
        String system = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
        if (!system.toLowerCase(Locale.ROOT).equals("linux on amd64")) {
            throw new IllegalStateException("machine code is written for Linux on amd64 only, and this is " + system);
        }
        try {
            return Loaded.PROCESSOR;
        } catch (ExceptionInInitializerError | NoClassDefFoundError e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IllegalStateException(cause.getMessage(), e);
        }
    }

    @Override
    public String name() {
        return "machine-" + level.label();
    }

    @Override
    public String reason() {
        return reason;
    }

    @Override
    public MatrixKernel matrix(TensorType type) {
        return switch (type) {
            case Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K -> packed(type);
            case BF16 -> level.multipliesBrainFloats() ? packed(type) : floats(type);
            case F32, F16 -> floats(type);
            default -> plain.matrix(type);
        };
    }

    private MatrixKernel packed(TensorType type) {
        return Loaded.kernel(new Kind(level, type), plain.matrix(type));
    }

    private MatrixKernel floats(TensorType type) {
        return new FloatMatrixKernel(type, Loaded.floats(new Kind(level, type)), level.bits(), plain.matrix(type));
    }

    @Override
    public AttentionKernel attention() {
        return new MachineAttentionKernel(Loaded.attention(level.bits()), plain.attention());
    }

    @Override
    public ElementwiseKernel elementwise() {
        return new MachineElementwiseKernel(Loaded.elementwise(level.bits()), plain.elementwise());
    }
}
