package org.bloomery.benchmarks;

import java.util.Arrays;
import java.util.Locale;

/**
 * The bytes a second that threads read from memory together: the ceiling of decoding one sequence, which reads every
 * weight once a token. Prints the best of some rounds, in GB/s; the argument is the number of threads.
 */
public final class MemoryBandwidth {

    private static final int LONGS = 24 << 20;
    private static final int ROUNDS = 12;

    private MemoryBandwidth() {}

    /** @param arguments number of threads, 1 if there is none */
    public static void main(String[] arguments) throws InterruptedException {
        int threads = arguments.length == 0 ? 1 : Integer.parseInt(arguments[0]);
        System.out.printf(Locale.ROOT, "%.1f%n", measure(threads, LONGS, ROUNDS));
    }

    /** Best of {@code rounds}, in GB/s; each thread reads {@code longs} elements of its own. */
    static double measure(int threads, int longs, int rounds) throws InterruptedException {
        long[][] memory = new long[threads][longs];
        for (long[] part : memory) {
            Arrays.fill(part, 1);
        }
        double best = 0;
        for (int round = 0; round < rounds; round++) {
            long[] sums = new long[threads];
            Thread[] readers = new Thread[threads];
            long start = System.nanoTime();
            for (int i = 0; i < threads; i++) {
                int reader = i;
                readers[i] = Thread.ofPlatform().start(() -> sums[reader] = sum(memory[reader]));
            }
            for (Thread reader : readers) {
                reader.join();
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            if (Arrays.stream(sums).sum() != (long) threads * longs) {
                throw new IllegalStateException("The sum of what was read is wrong");
            }
            best = Math.max(best, (double) threads * longs * Long.BYTES / seconds / 1e9);
        }
        return best;
    }

    /** A loop that the optimising compiler makes vector code of. */
    private static long sum(long[] values) {
        long sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += values[i];
        }
        return sum;
    }
}
