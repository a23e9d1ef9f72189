package org.bloomery.nativeengine.binding;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A {@code llama_batch} with room for so many tokens, each of one sequence. Lives as long as its arena. */
public final class NativeBatch {

    private final int capacity;
    private final MemorySegment struct;
    private final MemorySegment tokens;
    private final MemorySegment positions;
    private final MemorySegment sequences;
    private final MemorySegment wanted;
    private int size;

    public NativeBatch(int capacity, Arena arena) {
        this.capacity = capacity;
        tokens = arena.allocate(JAVA_INT, capacity);
        positions = arena.allocate(JAVA_INT, capacity);
        sequences = arena.allocate(JAVA_INT, capacity);
        wanted = arena.allocate(JAVA_BYTE, capacity);
        MemorySegment ones = arena.allocate(JAVA_INT, capacity);
        MemorySegment pointers = arena.allocate(ADDRESS, capacity);
        for (int i = 0; i < capacity; i++) {
            ones.setAtIndex(JAVA_INT, i, 1);
            pointers.setAtIndex(ADDRESS, i, sequences.asSlice(4L * i, 4));
        }
        struct = arena.allocate(Layouts.BATCH);
        Layouts.set(struct, Layouts.BATCH, "token", tokens);
        Layouts.set(struct, Layouts.BATCH, "pos", positions);
        Layouts.set(struct, Layouts.BATCH, "n_seq_id", ones);
        Layouts.set(struct, Layouts.BATCH, "seq_id", pointers);
        Layouts.set(struct, Layouts.BATCH, "logits", wanted);
    }

    public void clear() {
        size = 0;
    }

    public int size() {
        return size;
    }

    /** Appends a token; all numbers have been checked. */
    public void add(int token, int position, int sequence, boolean wantsLogits) {
        if (size == capacity) {
            throw new IllegalStateException("The batch is full at " + capacity + " tokens");
        }
        tokens.setAtIndex(JAVA_INT, size, token);
        positions.setAtIndex(JAVA_INT, size, position);
        sequences.setAtIndex(JAVA_INT, size, sequence);
        wanted.set(JAVA_BYTE, size, (byte) (wantsLogits ? 1 : 0));
        size++;
    }

    MemorySegment struct() {
        Layouts.set(struct, Layouts.BATCH, "n_tokens", size);
        return struct;
    }
}
