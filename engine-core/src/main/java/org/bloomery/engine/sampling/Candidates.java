package org.bloomery.engine.sampling;

/**
 * The tokens still in the race, with their logits: what one step of the chain hands to the next. Reused from token to
 * token of one generation.
 */
final class Candidates {

    private int[] ids = new int[0];
    private float[] logits = new float[0];
    private double[] probabilities = new double[0];
    private int size;
    private boolean sorted;

    /** Starts over with every token of the vocabulary that is not impossible. */
    void reset(float[] vocabularyLogits, int vocabSize) {
        if (ids.length < vocabSize) {
            ids = new int[vocabSize];
            logits = new float[vocabSize];
            probabilities = new double[vocabSize];
        }
        int kept = 0;
        for (int i = 0; i < vocabSize; i++) {
            if (vocabularyLogits[i] > Float.NEGATIVE_INFINITY) {
                ids[kept] = i;
                logits[kept] = vocabularyLogits[i];
                kept++;
            }
        }
        size = kept;
        sorted = false;
    }

    int size() {
        return size;
    }

    int id(int i) {
        return ids[i];
    }

    float logit(int i) {
        return logits[i];
    }

    double probability(int i) {
        return probabilities[i];
    }

    /** Keeps the first {@code count}. */
    void keepFirst(int count) {
        size = Math.min(size, Math.max(1, count));
    }

    /** Removes the first {@code count}; at least one token stays. */
    void dropFirst(int count) {
        int dropped = Math.min(count, size - 1);
        System.arraycopy(ids, dropped, ids, 0, size - dropped);
        System.arraycopy(logits, dropped, logits, 0, size - dropped);
        size -= dropped;
    }

    /** Keeps the tokens with at least this logit, in their order. */
    void keepAtLeast(float least) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (logits[i] >= least) {
                ids[kept] = ids[i];
                logits[kept] = logits[i];
                kept++;
            }
        }
        size = Math.max(1, kept);
    }

    float maxLogit() {
        if (sorted) {
            return logits[0];
        }
        float max = logits[0];
        for (int i = 1; i < size; i++) {
            max = Math.max(max, logits[i]);
        }
        return max;
    }

    void scale(double factor) {
        for (int i = 0; i < size; i++) {
            logits[i] = (float) (logits[i] * factor);
        }
    }

    /** Sorts by falling logit, ties by rising id. */
    void sort() {
        if (!sorted) {
            quickSort(0, size - 1);
            sorted = true;
        }
    }

    /** Keeps the {@code k} tokens with the largest logits, sorted. Linear in the vocabulary for small k. */
    void keepTop(int k) {
        if (sorted || k >= size) {
            sort();
            keepFirst(k);
            return;
        }
        // A min-heap of the best k in the array's head: most tokens fail the first comparison.
        for (int i = k / 2 - 1; i >= 0; i--) {
            siftDown(i, k);
        }
        for (int i = k; i < size; i++) {
            if (before(i, 0)) {
                swap(i, 0);
                siftDown(0, k);
            }
        }
        size = k;
        sort();
    }

    /** Fills {@link #probability} with the softmax of the logits. */
    void softmax() {
        float max = maxLogit();
        double sum = 0;
        for (int i = 0; i < size; i++) {
            double p = Math.exp(logits[i] - (double) max);
            probabilities[i] = p;
            sum += p;
        }
        for (int i = 0; i < size; i++) {
            probabilities[i] /= sum;
        }
    }

    /** Reorders so that the token at {@code order[i]} comes i-th, and keeps only those. */
    void keepInOrder(int[] order, int count) {
        int[] newIds = new int[count];
        float[] newLogits = new float[count];
        for (int i = 0; i < count; i++) {
            newIds[i] = ids[order[i]];
            newLogits[i] = logits[order[i]];
        }
        System.arraycopy(newIds, 0, ids, 0, count);
        System.arraycopy(newLogits, 0, logits, 0, count);
        size = count;
        sorted = false;
    }

    private boolean before(int a, int b) {
        return logits[a] > logits[b] || (logits[a] == logits[b] && ids[a] < ids[b]);
    }

    private void swap(int a, int b) {
        int id = ids[a];
        ids[a] = ids[b];
        ids[b] = id;
        float logit = logits[a];
        logits[a] = logits[b];
        logits[b] = logit;
    }

    private void siftDown(int root, int heapSize) {
        int parent = root;
        while (true) {
            int worst = parent;
            int left = 2 * parent + 1;
            if (left < heapSize && before(worst, left)) {
                worst = left;
            }
            if (left + 1 < heapSize && before(worst, left + 1)) {
                worst = left + 1;
            }
            if (worst == parent) {
                return;
            }
            swap(parent, worst);
            parent = worst;
        }
    }

    /** Recurses into the smaller side only, so the depth is logarithmic. */
    private void quickSort(int from, int to) {
        int low = from;
        int high = to;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (before(middle, low)) {
                swap(middle, low);
            }
            if (before(high, low)) {
                swap(high, low);
            }
            if (before(high, middle)) {
                swap(high, middle);
            }
            float pivotLogit = logits[middle];
            int pivotId = ids[middle];
            int i = low;
            int j = high;
            while (i <= j) {
                while (logits[i] > pivotLogit || (logits[i] == pivotLogit && ids[i] < pivotId)) {
                    i++;
                }
                while (logits[j] < pivotLogit || (logits[j] == pivotLogit && ids[j] > pivotId)) {
                    j--;
                }
                if (i <= j) {
                    swap(i, j);
                    i++;
                    j--;
                }
            }
            if (j - low < high - i) {
                quickSort(low, j);
                low = i;
            } else {
                quickSort(i, high);
                high = j;
            }
        }
    }
}
