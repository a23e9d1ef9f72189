package org.bloomery.engine.scheduler;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.Logits;
import org.bloomery.engine.backend.MemoryPlan;
import org.jspecify.annotations.Nullable;

/**
 * A backend whose next token is a hash of everything its cache holds for the sequence: any wrong position, slot or
 * stale cache entry changes the answer. It checks the contract of {@link Batch} and that one thread uses it.
 */
final class RecordingBackend implements Backend {

    static final int VOCAB = 97;

    private final int slots;
    private final int batchTokens;
    private final int contextLength;
    private final List<List<Integer>> cache = new ArrayList<>();
    private @Nullable Thread owner;

    final List<Integer> batchSizes = new ArrayList<>();
    final Semaphore gate;
    volatile boolean closed;
    volatile @Nullable RuntimeException failure;
    final AtomicInteger interrupts = new AtomicInteger();

    /** Permits for {@link #recover}. */
    final Semaphore recovery = new Semaphore(0);

    volatile @Nullable RuntimeException recoveryFailure;

    volatile Consumer<BackendLostException> lossListener = loss -> {};

    /** @param gate permits to be taken for each pass, or null to run freely */
    RecordingBackend(int slots, int batchTokens, int contextLength, @Nullable Semaphore gate) {
        this.slots = slots;
        this.batchTokens = batchTokens;
        this.contextLength = contextLength;
        this.gate = gate != null ? gate : new Semaphore(Integer.MAX_VALUE);
        for (int i = 0; i < slots; i++) {
            cache.add(new ArrayList<>());
        }
    }

    /** The token after these, by the same rule. */
    static int next(List<Integer> tokens) {
        return Math.floorMod(tokens.hashCode() * 31 + tokens.size(), VOCAB - 1) + 1;
    }

    /** What a correct scheduler answers greedily. */
    static List<Integer> expected(int[] prompt, int count) {
        List<Integer> all = new ArrayList<>(Arrays.stream(prompt).boxed().toList());
        for (int i = 0; i < count; i++) {
            all.add(next(all));
        }
        return all.subList(prompt.length, all.size());
    }

    @Override
    public BackendInfo info() {
        return new BackendInfo(
                "recording",
                "none",
                "test",
                1,
                "one is enough",
                "none",
                VOCAB,
                contextLength,
                slots,
                batchTokens,
                new MemoryPlan(0, 0, 0, 0));
    }

    @Override
    public Logits forward(Batch batch) {
        checkOwner();
        gate.acquireUninterruptibly();
        RuntimeException toThrow = failure;
        if (toThrow != null) {
            failure = null;
            if (toThrow instanceof BackendLostException) {
                cache.forEach(List::clear);
            }
            throw toThrow;
        }
        if (batch.size() == 0 || batch.size() > batchTokens) {
            throw new AssertionError("batch of " + batch.size());
        }
        batchSizes.add(batch.size());
        List<float[]> rows = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            List<Integer> held = cache.get(batch.sequence(i));
            if (batch.position(i) != held.size()) {
                throw new AssertionError("position " + batch.position(i) + " after " + held.size());
            }
            held.add(batch.token(i));
            if (held.size() > contextLength) {
                throw new AssertionError("context overrun");
            }
            if (batch.wantsLogits(i)) {
                float[] row = new float[VOCAB];
                row[next(held)] = 5;
                rows.add(row);
            }
        }
        return new Logits() {
            @Override
            public int rows() {
                return rows.size();
            }

            @Override
            public int vocabSize() {
                return VOCAB;
            }

            @Override
            public MemorySegment row(int row) {
                return MemorySegment.ofArray(rows.get(row));
            }
        };
    }

    @Override
    public void onLoss(Consumer<BackendLostException> listener) {
        lossListener = listener;
    }

    private void checkOwner() {
        if (owner == null) {
            owner = Thread.currentThread();
        }
        if (owner != Thread.currentThread()) {
            throw new AssertionError("used by " + Thread.currentThread() + " and " + owner);
        }
    }

    @Override
    public void truncate(int sequence, int from) {
        checkOwner();
        List<Integer> held = cache.get(sequence);
        while (held.size() > from) {
            held.removeLast();
        }
    }

    @Override
    public void copyPrefix(int source, int target, int length) {
        checkOwner();
        if (!cache.get(target).isEmpty()) {
            throw new AssertionError("target not empty");
        }
        cache.get(target).addAll(cache.get(source).subList(0, length));
    }

    @Override
    public void interrupt() {
        interrupts.incrementAndGet();
    }

    @Override
    public void recover() {
        recovery.acquireUninterruptibly();
        RuntimeException toThrow = recoveryFailure;
        if (toThrow != null) {
            throw toThrow;
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
