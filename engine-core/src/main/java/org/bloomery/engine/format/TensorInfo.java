package org.bloomery.engine.format;

import java.util.List;

/**
 * One tensor of a model file.
 *
 * @param name unique name in the file, such as {@code blk.3.attn_q.weight}
 * @param type element type
 * @param shape dimensions in the file's order (ggml's {@code ne}): the first is the length of a row, contiguous in
 *     memory; one to four dimensions, each at least 1
 * @param part index of the file that holds the data, 0 unless the model is split
 * @param offset bytes from the start of that file to the data
 * @param byteSize bytes of the data
 */
public record TensorInfo(String name, TensorType type, List<Long> shape, int part, long offset, long byteSize) {

    public TensorInfo {
        shape = List.copyOf(shape);
    }

    /** Length of a row: {@code ne[0]}. */
    public long columns() {
        return shape.getFirst();
    }

    /** Number of rows: the product of the dimensions after the first. */
    public long rows() {
        long rows = 1;
        for (int i = 1; i < shape.size(); i++) {
            rows = Math.multiplyExact(rows, shape.get(i));
        }
        return rows;
    }

    /** Number of elements. */
    public long elements() {
        return Math.multiplyExact(columns(), rows());
    }
}
