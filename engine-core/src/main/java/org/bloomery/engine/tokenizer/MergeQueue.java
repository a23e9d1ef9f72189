package org.bloomery.engine.tokenizer;

import java.util.Arrays;

/**
 * Positions that wait for a merge, by rank and then by position. A text has few distinct ranks at a time and positions
 * mostly arrive in ascending order, so each rank has a list of its own and only the ranks are in a heap: a run of ten
 * million equal letters costs a few memory streams instead of ten million sifts through a heap. The worst case stays
 * O(n log n).
 */
final class MergeQueue {

    private static final int FREE = -1;

    /** Rank → bucket, open addressing. */
    private int[] slotRanks = new int[64];

    private int[] slotBuckets = new int[64];
    private Bucket[] buckets = new Bucket[16];
    private int bucketCount;

    /** Binary heap of {@code rank << 32 | bucket}, one entry for each bucket that is not empty. */
    private long[] heap = new long[16];

    private int heapSize;

    MergeQueue() {
        Arrays.fill(slotRanks, FREE);
    }

    /** Adds a position under a rank, both non-negative. */
    void add(int rank, int position) {
        int index = bucketOf(rank);
        Bucket bucket = buckets[index];
        if (bucket.isEmpty()) {
            bucket.reset();
            push((long) rank << 32 | index);
        }
        bucket.add(position);
    }

    /** Removes the least {@code rank << 32 | position}; -1 where nothing waits, which also makes all ranks forgotten. */
    long poll() {
        if (heapSize == 0) {
            forgetRanks();
            return -1;
        }
        long top = heap[0];
        Bucket bucket = buckets[(int) top];
        int position = bucket.take();
        if (bucket.isEmpty()) {
            pop();
        }
        return (top >>> 32) << 32 | position;
    }

    private int bucketOf(int rank) {
        int mask = slotRanks.length - 1;
        int slot = slot(rank, mask);
        while (slotRanks[slot] != FREE) {
            if (slotRanks[slot] == rank) {
                return slotBuckets[slot];
            }
            slot = (slot + 1) & mask;
        }
        if (bucketCount == buckets.length) {
            buckets = Arrays.copyOf(buckets, bucketCount * 2);
        }
        if (buckets[bucketCount] == null) {
            buckets[bucketCount] = new Bucket();
        }
        buckets[bucketCount].rank = rank;
        slotRanks[slot] = rank;
        slotBuckets[slot] = bucketCount++;
        if (bucketCount * 2 > slotRanks.length) {
            grow();
        }
        return bucketCount - 1;
    }

    private void grow() {
        int[] ranks = new int[slotRanks.length * 2];
        Arrays.fill(ranks, FREE);
        slotRanks = ranks;
        slotBuckets = new int[ranks.length];
        int mask = ranks.length - 1;
        for (int i = 0; i < bucketCount; i++) {
            int slot = slot(buckets[i].rank, mask);
            while (slotRanks[slot] != FREE) {
                slot = (slot + 1) & mask;
            }
            slotRanks[slot] = buckets[i].rank;
            slotBuckets[slot] = i;
        }
    }

    private void forgetRanks() {
        if (bucketCount * 4 > slotRanks.length) {
            Arrays.fill(slotRanks, FREE);
        } else {
            int mask = slotRanks.length - 1;
            for (int i = 0; i < bucketCount; i++) {
                // The whole cluster goes: every rank is forgotten, so no probe sequence can be cut.
                for (int slot = slot(buckets[i].rank, mask); slotRanks[slot] != FREE; slot = (slot + 1) & mask) {
                    slotRanks[slot] = FREE;
                }
            }
        }
        bucketCount = 0;
    }

    private static int slot(int rank, int mask) {
        int mixed = rank * 0x9E3779B9;
        return (mixed ^ (mixed >>> 16)) & mask;
    }

    private void push(long entry) {
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, heapSize * 2);
        }
        int child = heapSize++;
        while (child > 0) {
            int parent = (child - 1) >>> 1;
            if (heap[parent] <= entry) {
                break;
            }
            heap[child] = heap[parent];
            child = parent;
        }
        heap[child] = entry;
    }

    private void pop() {
        long entry = heap[--heapSize];
        int parent = 0;
        while (true) {
            int child = 2 * parent + 1;
            if (child >= heapSize) {
                break;
            }
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= entry) {
                break;
            }
            heap[parent] = heap[child];
            parent = child;
        }
        heap[parent] = entry;
    }

    /** The positions of one rank, least first. */
    private static final class Bucket {

        private int rank;
        private int[] items = new int[4];
        private int head;
        private int tail;
        private boolean sorted = true;
        private boolean taking;

        /** A binary heap of positions that came out of order after the first was taken; null until one does. */
        private int @org.jspecify.annotations.Nullable [] late;

        private int lateSize;

        boolean isEmpty() {
            return head == tail && lateSize == 0;
        }

        void reset() {
            head = 0;
            tail = 0;
            sorted = true;
            taking = false;
        }

        void add(int position) {
            if (tail > head && position < items[tail - 1]) {
                if (taking) {
                    addLate(position);
                    return;
                }
                sorted = false;
            }
            if (tail == items.length) {
                items = Arrays.copyOf(items, tail + Math.max(4, tail >> 1));
            }
            items[tail++] = position;
        }

        int take() {
            if (!sorted) {
                Arrays.sort(items, head, tail);
                sorted = true;
            }
            taking = true;
            if (lateSize > 0 && (head == tail || requireLate()[0] < items[head])) {
                return takeLate();
            }
            return items[head++];
        }

        private int[] requireLate() {
            if (late == null) {
                late = new int[16];
            }
            return late;
        }

        private void addLate(int position) {
            int[] heap = requireLate();
            if (lateSize == heap.length) {
                heap = Arrays.copyOf(heap, lateSize * 2);
                late = heap;
            }
            int child = lateSize++;
            while (child > 0 && heap[(child - 1) >>> 1] > position) {
                heap[child] = heap[(child - 1) >>> 1];
                child = (child - 1) >>> 1;
            }
            heap[child] = position;
        }

        private int takeLate() {
            int[] heap = requireLate();
            int least = heap[0];
            int last = heap[--lateSize];
            int parent = 0;
            for (int child = 1; child < lateSize; child = 2 * parent + 1) {
                if (child + 1 < lateSize && heap[child + 1] < heap[child]) {
                    child++;
                }
                if (heap[child] >= last) {
                    break;
                }
                heap[parent] = heap[child];
                parent = child;
            }
            heap[parent] = last;
            return least;
        }
    }
}
