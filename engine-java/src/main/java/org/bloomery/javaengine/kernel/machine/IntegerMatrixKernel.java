package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;
import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.MatrixKernel;
import org.bloomery.javaengine.quant.QuantType;

/**
 * Products of one quantised type with rounded activations.
 */
final class IntegerMatrixKernel implements MatrixKernel {

    /** Groups of rows unpacked side by side, at most: activations then come from far once for all of them. */
    private static final int PANELS = 3;

    /** Bytes of panels that leave room for activations in a second-level cache. */
    private static final int PANEL_MEMORY = 512 << 10;

    private final QuantType type;
    private final IntegerCode code;
    private final int groupRows;

    /** By number of tokens; of {@link #panel} the first one unpacks. */
    private final LoadedCode few;

    private final LoadedCode panel;

    IntegerMatrixKernel(QuantType type, IntegerCode code, ExecutableMemory memory) {
        this.type = type;
        this.code = code;
        groupRows = code.rows();
        few = new LoadedCode(memory, code.few(), code::multiplyFew);
        panel = new LoadedCode(
                memory, ByteActivations.GROUP, tokens -> tokens == 0 ? code.unpackPanel() : code.multiplyPanel(tokens));
    }

    @Override
    public boolean roundsActivations() {
        return true;
    }

    @Override
    public int scratchLength(int columns, int tokens) {
        return !usesPanels(tokens) ? 0 : Math.multiplyExact(panels(columns), code.panelBytes(columns)) / Float.BYTES;
    }

    private boolean usesPanels(int tokens) {
        return code.hasPanels() && tokens > code.few();
    }

    private int panels(int columns) {
        return Math.clamp(PANEL_MEMORY / code.panelBytes(columns), 1, PANELS);
    }

    @Override
    public void multiply(
            MemorySegment weights,
            int from,
            int to,
            Activations x,
            float[] out,
            int outOffset,
            int rows,
            float[] scratch) {
        MemorySegment target = MemorySegment.ofArray(out).asSlice((long) outOffset * Float.BYTES);
        if (usesPanels(x.tokens())) {
            multiplyMany(weights, from, to, x, target, rows, MemorySegment.ofArray(scratch));
        } else {
            for (int token = 0; token < x.tokens(); token += ByteActivations.GROUP) {
                multiplyFew(weights, from, to, x, token / ByteActivations.GROUP, target, rows);
            }
        }
    }

    private void multiplyFew(
            MemorySegment weights, int from, int to, Activations x, int group, MemorySegment out, int rows) {
        int columns = x.columns();
        MemorySegment multiply = few.get(ByteActivations.groupSize(group, x.tokens()));
        MemorySegment activations = ByteActivations.group(x, group);
        MemorySegment results = out.asSlice((long) group * ByteActivations.GROUP * rows * Float.BYTES);
        long rowBytes = type.type().byteSize(columns);
        long tokenBytes = (long) rows * Float.BYTES;
        long blocks = columns / ByteActivations.BLOCK;
        int groups = (to - from) / groupRows;
        int rest = from + groups * groupRows;
        if (groups > 0) {
            MachineCall.multiply(
                    multiply,
                    weights.asSlice(from * rowBytes, (rest - from) * rowBytes),
                    rowBytes,
                    activations,
                    results.asSlice((long) from * Float.BYTES),
                    tokenBytes,
                    blocks,
                    groups,
                    (1L << groupRows) - 1);
        }
        if (rest < to) {
            RowGroup last = RowGroup.of(weights, rest, to, rowBytes, groupRows);
            MachineCall.multiply(
                    multiply,
                    last.weights(),
                    rowBytes,
                    activations,
                    results.asSlice((long) last.firstRow() * Float.BYTES),
                    tokenBytes,
                    blocks,
                    1,
                    last.mask());
        }
    }

    private void multiplyMany(
            MemorySegment weights,
            int from,
            int to,
            Activations x,
            MemorySegment out,
            int rows,
            MemorySegment scratch) {
        int columns = x.columns();
        long rowBytes = type.type().byteSize(columns);
        long tokenBytes = (long) rows * Float.BYTES;
        long blocks = columns / ByteActivations.BLOCK;
        long panelBytes = code.panelBytes(columns);
        RowGroup[] groups = new RowGroup[panels(columns)];
        MemorySegment unpack = panel.get(0);
        for (int row = from; row < to; row += groups.length * groupRows) {
            int count = Math.min(groups.length, Math.ceilDiv(to - row, groupRows));
            for (int p = 0; p < count; p++) {
                int first = row + p * groupRows;
                RowGroup group = RowGroup.of(weights, first, Math.min(to, first + groupRows), rowBytes, groupRows);
                groups[p] = group;
                MachineCall.multiply(
                        unpack,
                        group.weights(),
                        rowBytes,
                        scratch.asSlice(p * panelBytes, panelBytes),
                        out,
                        0,
                        blocks,
                        1,
                        0);
            }
            for (int token = 0; token < x.tokens(); token += ByteActivations.GROUP) {
                int number = token / ByteActivations.GROUP;
                MemorySegment activations = ByteActivations.group(x, number);
                MemorySegment multiply = panel.get(ByteActivations.groupSize(number, x.tokens()));
                for (int p = 0; p < count; p++) {
                    long at = token * tokenBytes + (long) groups[p].firstRow() * Float.BYTES;
                    MachineCall.multiply(
                            multiply,
                            scratch.asSlice(p * panelBytes, panelBytes),
                            rowBytes,
                            activations,
                            out.asSlice(at),
                            tokenBytes,
                            blocks,
                            1,
                            groups[p].mask());
                }
            }
        }
    }

    @Override
    public void dequantizeRow(MemorySegment weights, int row, int columns, float[] out, int outOffset) {
        type.dequantize(weights, row * type.type().byteSize(columns), columns, out, outOffset);
    }
}
