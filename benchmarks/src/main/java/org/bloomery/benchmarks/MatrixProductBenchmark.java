package org.bloomery.benchmarks;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.backend.ThreadPlan;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.KernelLookup;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.quant.QuantType;
import org.bloomery.javaengine.quant.QuantTypes;
import org.bloomery.javaengine.tensor.Repacking;
import org.bloomery.javaengine.tensor.WeightMatrix;
import org.bloomery.javaengine.tensor.WorkerPool;
import org.bloomery.javaengine.tensor.Workspace;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Products of weights with activations, as in one feed-forward matrix of a model of a billion parameters: (8192, 2048).
 * Several copies take turns, so that weights come from memory as they do in a model, not from a cache. Beside products
 * per second it reports {@code gigaFlop}, 2 a weight and token, and {@code gigaByte} of weights read, both per second.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(1)
public class MatrixProductBenchmark {

    /** Bytes of all copies, several times a large last-level cache. */
    private static final long MEMORY = 256L << 20;

    @Param({"Q8_0", "Q4_0", "Q4_K", "Q6_K", "Q4_1", "Q5_0", "Q5_1", "Q5_K", "F16", "BF16", "F32"})
    public String type = "Q8_0";

    @Param({"1", "8", "64", "512"})
    public int tokens = 1;

    @Param("auto")
    public String kernels = "auto";

    /** Compute threads, 0 for one a processor. */
    @Param("0")
    public int threads;

    /** Whether the weights are in the layout that their kernel reads fastest, instead of a file's. */
    @Param({"true", "false"})
    public boolean repack = true;

    int rows = 8192;
    int columns = 2048;

    private WorkerPool pool = new WorkerPool(1);
    private Workspace workspace = new Workspace(pool);
    private WeightMatrix[] copies = {};
    private @Nullable Repacking repacking;
    private float[] x = {};
    private float[] out = {};
    private int next;

    /** Work done, per second. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Work {
        public double gigaFlop;
        public double gigaByte;

        @Setup(Level.Iteration)
        public void start() {
            gigaFlop = 0;
            gigaByte = 0;
        }
    }

    @Setup
    public void makeWeights() throws InterruptedException {
        QuantType quant = QuantTypes.of(TensorType.valueOf(type));
        long bytes = quant.type().byteSize((long) rows * columns);
        TensorInfo info = new TensorInfo("weight", quant.type(), List.of((long) columns, (long) rows), 0, 0, bytes);
        Random random = new Random(1);
        Kernels tier = KernelLookup.choose(kernels);
        Arena arena = Arena.ofAuto();
        copies = new WeightMatrix[Math.clamp(MEMORY / bytes, 1, 32)];
        MemorySegment first = arena.allocate(bytes, 64);
        float[] row = new float[columns];
        for (int r = 0; r < rows; r++) {
            fill(row, random);
            quant.quantize(row, 0, columns, first, r * quant.type().byteSize(columns));
        }
        for (int i = 0; i < copies.length; i++) {
            MemorySegment copy = i == 0 ? first : arena.allocate(bytes, 64).copyFrom(first);
            copies[i] = WeightMatrix.of(info, copy, tier);
            copies[i].expectProducts();
        }
        repacking = repack ? Repacking.of(List.of(copies)).orElse(null) : null;
        if (repacking != null) {
            repacking.start();
            repacking.await();
        }
        x = new float[tokens * columns];
        fill(x, random);
        out = new float[tokens * rows];
        pool.close();
        pool = new WorkerPool(ThreadPlan.of(threads).threads());
        workspace = new Workspace(pool);
    }

    private static void fill(float[] values, Random random) {
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
    }

    @TearDown
    public void end() {
        pool.close();
        if (repacking != null) {
            repacking.close();
        }
    }

    @Benchmark
    public float[] product(Work work) {
        copies[next].multiply(x, tokens, out, workspace);
        next = (next + 1) % copies.length;
        work.gigaFlop += 2e-9 * rows * columns * tokens;
        work.gigaByte += 1e-9 * copies[next].byteSize();
        return out;
    }
}
