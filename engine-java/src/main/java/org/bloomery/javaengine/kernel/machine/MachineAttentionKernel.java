package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;
import org.bloomery.javaengine.kernel.AttentionKernel;

/** Products of whole vectors of columns, as those of attention are; others go another way. */
final class MachineAttentionKernel implements AttentionKernel {

    private final AttentionTiles tiles;
    private final AttentionKernel plain;

    /** @param plain the other way */
    MachineAttentionKernel(AttentionTiles tiles, AttentionKernel plain) {
        this.tiles = tiles;
        this.plain = plain;
    }

    @Override
    public void multiplyAdd(float[] a, int aStride, float[] b, float[] c, int m, int k, int n) {
        int lanes = tiles.lanes();
        if (n % lanes != 0 || k == 0) {
            plain.multiplyAdd(a, aStride, b, c, m, k, n);
            return;
        }
        int vectors = tiles.widest();
        while (n / lanes % vectors != 0) {
            vectors /= 2;
        }
        int count = n / lanes / vectors;
        MemorySegment right = MemorySegment.ofArray(b).asSlice(0, (long) k * n * Float.BYTES);
        int groups = m / AttentionCode.ROWS;
        int rest = groups * AttentionCode.ROWS;
        if (groups > 0) {
            call(tiles.four().get(vectors), a, aStride, right, c, 0, rest, k, n, groups, count);
        }
        if (rest < m) {
            call(tiles.one().get(vectors), a, aStride, right, c, rest, m, k, n, m - rest, count);
        }
    }

    private static void call(
            MemorySegment code,
            float[] a,
            int aStride,
            MemorySegment b,
            float[] c,
            int from,
            int to,
            int k,
            int n,
            int groups,
            int tiles) {
        long first = (long) from * aStride;
        long end = (long) (to - 1) * aStride + k;
        MachineCall.multiply(
                code,
                MemorySegment.ofArray(a).asSlice(first * Float.BYTES, (end - first) * Float.BYTES),
                (long) aStride * Float.BYTES,
                b,
                MemorySegment.ofArray(c).asSlice((long) from * n * Float.BYTES, (long) (to - from) * n * Float.BYTES),
                (long) n * Float.BYTES,
                k,
                groups,
                tiles);
    }
}
