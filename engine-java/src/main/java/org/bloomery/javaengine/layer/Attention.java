package org.bloomery.javaengine.layer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bloomery.javaengine.cache.KvCache;
import org.bloomery.javaengine.kernel.Exponential;
import org.jspecify.annotations.Nullable;

/**
 * Causal attention with grouped queries: several query heads share one key/value head. Each token sees its own sequence,
 * up to its own position.
 *
 * <p>Work is cut into tiles: some consecutive tokens of one sequence by one key/value head, and for few tokens with a
 * long past also by a range of that past, so that every thread has something to do. A tile goes over the past block by
 * block and keeps a running maximum and sum (the online softmax of Milakov and Gimelshein 2018), so that no row of
 * scores is ever as long as the context; the parts of a cut past are joined at the end.
 */
public final class Attention {

    private static final int BLOCK = KvCache.BLOCK;

    /** Most query rows of a tile unless one token has more: enough to be worth loading a block of keys. */
    static final int TILE_ROWS = 64;

    /** A run of fewer tokens has its past cut, in parts of at least so many blocks. */
    private static final int FEW_TOKENS = 8;

    private static final int LEAST_PART_BLOCKS = 4;

    /**
     * The weights.
     *
     * @param queryNorm norm of each query head before rotation, or null
     * @param keyNorm norm of each key head before rotation, or null
     */
    public record Weights(
            Linear query,
            Linear key,
            Linear value,
            Linear output,
            @Nullable RmsNorm queryNorm,
            @Nullable RmsNorm keyNorm) {}

    /**
     * The shape.
     *
     * @param heads query heads, a multiple of {@code kvHeads}
     * @param kvHeads key/value heads
     * @param headDim elements of a head
     */
    public record Shape(int heads, int kvHeads, int headDim) {

        int group() {
            return heads / kvHeads;
        }

        int tileTokens() {
            return Math.max(1, TILE_ROWS / group());
        }
    }

    /**
     * Tokens {@code order[from]} to {@code order[to - 1]} and one part of the past they see, as blocks.
     *
     * @param offset where the first part's results wait to be joined
     */
    private record Tile(
            int sequence, int from, int to, int firstBlock, int endBlock, int part, int parts, int offset) {}

    private final Weights weights;
    private final Shape shape;
    private final Rope rope;
    private final int layer;
    private final float scale;

    /** @param layer number of the cache's layer that holds the keys and values */
    public Attention(Weights weights, Shape shape, Rope rope, int layer) {
        this.weights = weights;
        this.shape = shape;
        this.rope = rope;
        this.layer = layer;
        scale = (float) (1 / Math.sqrt(shape.headDim()));
    }

    /** {@code out(rows, embedding)} = attention of {@code x(rows, embedding)}; keys and values join the cache. */
    void apply(float[] x, float[] out, Pass pass) {
        int rows = pass.size();
        Linear.applyAll(
                List.of(weights.query, weights.key, weights.value),
                x,
                rows,
                List.of(pass.query, pass.key, pass.value),
                pass);
        if (weights.queryNorm != null) {
            weights.queryNorm.apply(pass.query, rows * shape.heads, pass.query, pass.pool());
        }
        if (weights.keyNorm != null) {
            weights.keyNorm.apply(pass.key, rows * shape.kvHeads, pass.key, pass.pool());
        }
        rope.rotate(pass.query, shape.heads, pass.key, shape.kvHeads, shape.headDim, pass.positions, rows, pass.pool());
        store(pass);
        attend(pass);
        weights.output.apply(pass.attended, rows, out, pass);
    }

    private void store(Pass pass) {
        int kvHeads = shape.kvHeads;
        int dim = shape.headDim;
        pass.pool().forRange(pass.size() * kvHeads, Elementwise.rowGrain(4 * dim), (from, to, worker) -> {
            for (int i = from; i < to; i++) {
                int row = i / kvHeads;
                pass.cache.put(
                        pass.sequences[row], pass.positions[row], layer, i % kvHeads, pass.key, pass.value, i * dim);
            }
        });
    }

    private void attend(Pass pass) {
        List<Tile> tiles = new ArrayList<>();
        int waiting = 0;
        for (Pass.Run run : pass.runs()) {
            waiting = cut(run, pass, tiles, waiting);
        }
        float[] parts = new float[waiting];
        int kvHeads = shape.kvHeads;
        pass.pool().forRange(tiles.size() * kvHeads, 1, (from, to, worker) -> {
            AttentionTile mine = pass.attentionTile(worker, shape.tileTokens() * shape.group(), shape.headDim);
            for (int i = from; i < to; i++) {
                compute(tiles.get(i / kvHeads), i % kvHeads, mine, pass, parts);
            }
        });
        for (Tile tile : tiles) {
            if (tile.parts > 1 && tile.part == 0) {
                for (int head = 0; head < kvHeads; head++) {
                    join(tile, head, parts, pass);
                }
            }
        }
    }

    /** Adds the tiles of a run; returns the end of what waits to be joined. */
    private int cut(Pass.Run run, Pass pass, List<Tile> tiles, int waiting) {
        for (int from = run.from(); from < run.to(); from += shape.tileTokens()) {
            int to = Math.min(run.to(), from + shape.tileTokens());
            int blocks = pass.positions[pass.order[to - 1]] / BLOCK + 1;
            int parts = 1;
            if (run.to() - run.from() < FEW_TOKENS) {
                int useful = Math.ceilDiv(2 * pass.pool().threads(), shape.kvHeads);
                parts = Math.clamp(blocks / LEAST_PART_BLOCKS, 1, useful);
            }
            for (int part = 0; part < parts; part++) {
                int first = (int) ((long) blocks * part / parts);
                int end = (int) ((long) blocks * (part + 1) / parts);
                tiles.add(new Tile(run.sequence(), from, to, first, end, part, parts, waiting));
            }
            if (parts > 1) {
                waiting += parts * shape.kvHeads * partLength(to - from);
            }
        }
        return waiting;
    }

    /** Floats of one part's results for one key/value head: sums, then greatest score and total of each row. */
    private int partLength(int tokens) {
        return tokens * shape.group() * (shape.headDim + 2);
    }

    private int partOffset(Tile tile, int part, int kvHead) {
        return tile.offset + (part * shape.kvHeads + kvHead) * partLength(tile.to - tile.from);
    }

    private void compute(Tile tile, int kvHead, AttentionTile arithmetic, Pass pass, float[] parts) {
        int dim = shape.headDim;
        int group = shape.group();
        int tokens = tile.to - tile.from;
        int rows = tokens * group;
        arithmetic.start(rows);
        for (int row = 0; row < rows; row++) {
            arithmetic.query(row, pass.query, headOffset(tile, row, kvHead, pass), scale);
        }
        int[] visible = new int[tokens];
        for (int block = tile.firstBlock; block < tile.endBlock; block++) {
            for (int t = 0; t < tokens; t++) {
                int position = pass.positions[pass.order[tile.from + t]];
                visible[t] = Math.clamp(position + 1 - block * (long) BLOCK, 0, BLOCK);
            }
            arithmetic.visit(tile.sequence, block, layer, kvHead, visible, tokens, group);
        }
        if (tile.parts == 1) {
            for (int row = 0; row < rows; row++) {
                int target = headOffset(tile, row, kvHead, pass);
                for (int d = 0; d < dim; d++) {
                    pass.attended[target + d] = arithmetic.sums[row * dim + d] / arithmetic.total[row];
                }
            }
        } else {
            int offset = partOffset(tile, tile.part, kvHead);
            System.arraycopy(arithmetic.sums, 0, parts, offset, rows * dim);
            System.arraycopy(arithmetic.greatest, 0, parts, offset + rows * dim, rows);
            System.arraycopy(arithmetic.total, 0, parts, offset + rows * (dim + 1), rows);
        }
    }

    private void join(Tile tile, int kvHead, float[] parts, Pass pass) {
        int dim = shape.headDim;
        int rows = (tile.to - tile.from) * shape.group();
        for (int row = 0; row < rows; row++) {
            int target = headOffset(tile, row, kvHead, pass);
            float most = Float.NEGATIVE_INFINITY;
            for (int part = 0; part < tile.parts; part++) {
                most = Math.max(most, parts[partOffset(tile, part, kvHead) + rows * dim + row]);
            }
            Arrays.fill(pass.attended, target, target + dim, 0);
            float total = 0;
            for (int part = 0; part < tile.parts; part++) {
                int offset = partOffset(tile, part, kvHead);
                float factor = Exponential.of(parts[offset + rows * dim + row] - most);
                total += factor * parts[offset + rows * (dim + 1) + row];
                for (int d = 0; d < dim; d++) {
                    pass.attended[target + d] += factor * parts[offset + row * dim + d];
                }
            }
            for (int d = 0; d < dim; d++) {
                pass.attended[target + d] /= total;
            }
        }
    }

    /** Where the query head of a tile's row stands among all query heads of all rows. */
    private int headOffset(Tile tile, int row, int kvHead, Pass pass) {
        int group = shape.group();
        int batchRow = pass.order[tile.from + row / group];
        return (batchRow * shape.heads + kvHead * group + row % group) * shape.headDim;
    }
}
