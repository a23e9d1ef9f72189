package org.bloomery.nativeengine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.BatchRules;
import org.bloomery.engine.backend.Logits;
import org.bloomery.nativeengine.binding.NativeBatch;
import org.bloomery.nativeengine.handle.NativeContext;
import org.bloomery.nativeengine.handle.NativeModel;

/**
 * A model on llama.cpp. It knows what tokens each sequence holds, for two reasons: every number is checked here before it
 * reaches native code, and models with recurrent layers, whose state cannot be cut, are fed the kept tokens anew.
 */
final class NativeBackend implements Backend {

    private final BackendInfo info;
    private final NativeModel model;
    private final NativeContext context;
    private final int outputs;
    private final Rows rows;

    /** Tokens of each sequence, the first {@code lengths[s]} of them valid. */
    private final int[][] tokens;

    private final int[] lengths;

    /** How many of them the native cache holds; fewer only for models that keep a state. */
    private final int[] held;

    private volatile boolean closed;
    private boolean freed;

    /**
     * @param model closed with this object, as is {@code context}
     * @param outputs most tokens of a native batch whose logits can be wanted
     */
    NativeBackend(BackendInfo info, NativeModel model, NativeContext context, int outputs) {
        this.info = info;
        this.model = model;
        this.context = context;
        this.outputs = outputs;
        tokens = new int[info.maxSequences()][0];
        lengths = new int[info.maxSequences()];
        held = new int[info.maxSequences()];
        rows = new Rows(info.vocabSize());
    }

    /** Rows of logits: where they lie in native memory, or copies where a batch was run in parts. */
    private static final class Rows implements Logits {

        private final int vocabSize;
        private final List<MemorySegment> segments = new ArrayList<>();
        private MemorySegment copies = MemorySegment.NULL;

        Rows(int vocabSize) {
            this.vocabSize = vocabSize;
        }

        private long rowBytes() {
            return vocabSize * ValueLayout.JAVA_FLOAT.byteSize();
        }

        /** Makes room for so many copies. */
        void reserve(int count) {
            if (copies.byteSize() < count * rowBytes()) {
                copies = Arena.ofAuto().allocate(count * rowBytes(), 64);
            }
        }

        void addCopy(MemorySegment row) {
            MemorySegment copy = copies.asSlice(segments.size() * rowBytes(), rowBytes());
            segments.add(copy.copyFrom(row));
        }

        @Override
        public int rows() {
            return segments.size();
        }

        @Override
        public int vocabSize() {
            return vocabSize;
        }

        @Override
        public MemorySegment row(int row) {
            return segments.get(row);
        }
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public synchronized Logits forward(Batch batch) {
        requireOpen();
        int[] after = BatchRules.lengthsAfter(batch, info, lengths);
        context.resume();
        if (closed) {
            // Closing interrupts what runs; this would otherwise have taken that back
            context.interrupt();
        }
        rows.segments.clear();
        boolean done = false;
        try {
            replay();
            run(batch);
            remember(batch, after);
            done = true;
            return rows;
        } finally {
            if (!done) {
                for (int sequence = 0; sequence < lengths.length; sequence++) {
                    if (after[sequence] > lengths[sequence] || held[sequence] < lengths[sequence]) {
                        cut(sequence, lengths[sequence]);
                    }
                }
            }
        }
    }

    /** Feeds the tokens that a model's state had to be given up for. */
    private void replay() {
        for (int sequence = 0; sequence < lengths.length; sequence++) {
            while (held[sequence] < lengths[sequence]) {
                NativeBatch part = context.batch();
                part.clear();
                int end = Math.min(lengths[sequence], held[sequence] + info.maxBatchTokens());
                for (int i = held[sequence]; i < end; i++) {
                    part.add(tokens[sequence][i], i, sequence, false);
                }
                context.decode();
                held[sequence] = end;
            }
        }
    }

    /** Runs the batch, in parts where more logits are wanted than native code has room for. */
    private void run(Batch batch) {
        boolean whole = batch.wantedCount() <= outputs;
        if (!whole) {
            rows.reserve(batch.wantedCount());
        }
        NativeBatch part = context.batch();
        part.clear();
        int wanted = 0;
        for (int i = 0; i < batch.size(); i++) {
            if (batch.wantsLogits(i) && wanted == outputs) {
                decode(part, batch, i - part.size(), whole);
                part.clear();
                wanted = 0;
            }
            part.add(batch.token(i), batch.position(i), batch.sequence(i), batch.wantsLogits(i));
            wanted += batch.wantsLogits(i) ? 1 : 0;
        }
        if (part.size() > 0) {
            decode(part, batch, batch.size() - part.size(), whole);
        }
    }

    /** @param from where the part begins in the batch */
    private void decode(NativeBatch part, Batch batch, int from, boolean whole) {
        context.decode();
        for (int i = 0; i < part.size(); i++) {
            if (batch.wantsLogits(from + i)) {
                MemorySegment row = context.logits(i);
                if (whole) {
                    rows.segments.add(row);
                } else {
                    rows.addCopy(row);
                }
            }
        }
    }

    private void remember(Batch batch, int[] after) {
        for (int i = 0; i < batch.size(); i++) {
            int sequence = batch.sequence(i);
            if (tokens[sequence].length < after[sequence]) {
                int room = Math.max(after[sequence], 2 * tokens[sequence].length);
                tokens[sequence] = Arrays.copyOf(tokens[sequence], Math.min(room, info.contextLength()));
            }
            tokens[sequence][batch.position(i)] = batch.token(i);
        }
        System.arraycopy(after, 0, lengths, 0, lengths.length);
        System.arraycopy(after, 0, held, 0, held.length);
    }

    @Override
    public synchronized void truncate(int sequence, int from) {
        requireOpen();
        BatchRules.checkTruncate(sequence, from, info);
        if (from < lengths[sequence]) {
            lengths[sequence] = from;
            cut(sequence, from);
        }
    }

    /** Cuts the native cache, or empties it where it cannot be cut there; then it is filled again before the next batch. */
    private void cut(int sequence, int from) {
        held[sequence] = Math.min(held[sequence], from);
        boolean removed = !(model.keepsState() && from > 0) && context.removeFrom(sequence, from);
        if (!removed) {
            context.removeFrom(sequence, 0);
            held[sequence] = 0;
        }
    }

    @Override
    public synchronized void copyPrefix(int source, int target, int length) {
        requireOpen();
        BatchRules.checkCopy(source, target, length, info, lengths);
        if (length == 0) {
            return;
        }
        tokens[target] = Arrays.copyOf(tokens[source], length);
        lengths[target] = length;
        if (!model.keepsState()) {
            context.copy(source, target, length);
            held[target] = length;
        }
    }

    @Override
    public void interrupt() {
        context.interrupt();
    }

    @Override
    public void close() {
        closed = true;
        context.interrupt();
        synchronized (this) {
            if (!freed) {
                freed = true;
                context.close();
                model.close();
            }
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("The backend is closed");
        }
    }
}
