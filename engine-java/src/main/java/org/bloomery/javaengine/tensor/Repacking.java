package org.bloomery.javaengine.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.bloomery.javaengine.kernel.SystemMemory;

/**
 * Copies matrices to the layout that their kernels read fastest, in the background, one after the other: a model answers at
 * once, and faster soon. Pages of the file are dropped from the process as they are copied. Owns the copies, which
 * go when it is closed; no product may run then.
 */
public final class Repacking implements AutoCloseable {

    /** Bytes that a matrix begins at a multiple of: a line of every cache. */
    private static final long ALIGNMENT = 128;

    private final Arena arena = Arena.ofShared();
    private final Thread thread;
    private volatile boolean stopped;

    private Repacking(List<WeightMatrix> matrices, SystemMemory system) {
        MemorySegment memory = system.mapLargePages(size(matrices), arena);
        thread = Thread.ofPlatform().name("bloomery-repacking").daemon().unstarted(() -> {
            long at = 0;
            for (WeightMatrix matrix : matrices) {
                long size = aligned(matrix);
                MemorySegment source = matrix.repack(memory.asSlice(at, matrix.repackedSize()), () -> stopped);
                if (source == null) {
                    return;
                }
                if (source.isMapped()) {
                    system.drop(source);
                }
                at += size;
            }
        });
    }

    /** Bytes of all copies; 0 if these matrices are best read as they are. */
    public static long size(Collection<WeightMatrix> matrices) {
        return matrices.stream().mapToLong(Repacking::aligned).sum();
    }

    /**
     * Takes the memory; empty if there is nothing to copy, or the system gives none: models run without.
     *
     * @param matrices whole tensors, each once, of which all views have been taken
     */
    public static Optional<Repacking> of(Collection<WeightMatrix> matrices) {
        List<WeightMatrix> copied =
                matrices.stream().filter(each -> each.repackedSize() > 0).toList();
        if (copied.isEmpty()) {
            return Optional.empty();
        }
        try {
            return SystemMemory.find().map(system -> new Repacking(copied, system));
        } catch (IllegalStateException e) {
            return Optional.empty();
        }
    }

    /** Begins to copy, if it has not begun; belongs to one thread at a time, as {@link #close} does. */
    public void start() {
        if (thread.getState() == Thread.State.NEW) {
            thread.start();
        }
    }

    private static long aligned(WeightMatrix matrix) {
        return Math.ceilDiv(matrix.repackedSize(), ALIGNMENT) * ALIGNMENT;
    }

    /** Waits until everything is copied that was begun. */
    public void await() throws InterruptedException {
        thread.join();
    }

    /** Gives up what is not copied yet, and the memory. */
    @Override
    public void close() {
        stopped = true;
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        arena.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
