package org.bloomery.javaengine.kernel.machine;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.ActivationForm;
import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.Interleaving;
import org.bloomery.javaengine.kernel.MatrixKernel;
import org.jspecify.annotations.Nullable;

/** Products of one type with packed activations; rows that are no whole blocks, which are rare, go another way. */
final class PackedMatrixKernel implements MatrixKernel {

    /** Groups of rows unpacked side by side, at most: activations then come from far once for all of them. */
    private static final int PANELS = 3;

    /** Bytes of panels that leave room for activations in a second-level cache. */
    private static final int PANEL_MEMORY = 512 << 10;

    private final TensorType type;
    private final MatrixCode code;
    private final GroupedActivations form;
    private final MatrixKernel plain;
    private final int groupRows;

    /** How the rows stand that this kernel reads; null for one after the other. */
    private final @Nullable Interleaving layout;

    /** The kernel for rows that are interleaved; null where there is none. */
    private final @Nullable PackedMatrixKernel interleaved;

    /** By number of tokens; of {@link #panel} the first one unpacks. */
    private final LoadedCode few;

    private final LoadedCode panel;

    /**
     * @param form what the code reads
     * @param plain the other way, which reads rows as in a model file
     */
    static PackedMatrixKernel of(
            TensorType type, FeatureLevel level, GroupedActivations form, MatrixKernel plain, ExecutableMemory memory) {
        if (!level.interleaves(type)) {
            return new PackedMatrixKernel(type, level, null, null, form, plain, memory);
        }
        Interleaving layout =
                new Interleaving(SixteenRows.COUNT, (int) type.byteSize(type.blockSize()), Unpacking.halfWord(type));
        PackedMatrixKernel interleaved = new PackedMatrixKernel(type, level, layout, null, form, plain, memory);
        return new PackedMatrixKernel(type, level, null, interleaved, form, plain, memory);
    }

    private PackedMatrixKernel(
            TensorType type,
            FeatureLevel level,
            @Nullable Interleaving layout,
            @Nullable PackedMatrixKernel interleaved,
            GroupedActivations form,
            MatrixKernel plain,
            ExecutableMemory memory) {
        this.type = type;
        this.code = level.matrixCode(type, layout != null);
        this.layout = layout;
        this.interleaved = interleaved;
        this.form = form;
        this.plain = plain;
        groupRows = code.rows();
        few = new LoadedCode(memory, code.few(), code::multiplyFew);
        panel = new LoadedCode(
                memory,
                GroupedActivations.GROUP,
                tokens -> tokens == 0 ? code.unpackPanel() : code.multiplyPanel(tokens));
    }

    @Override
    public ActivationForm form() {
        return form;
    }

    /** Not for rows that go the other way, or are no whole pieces. */
    @Override
    public Optional<Interleaving> interleaving(int columns) {
        return interleaved == null || form.length(columns, 1) == 0
                ? Optional.empty()
                : Optional.ofNullable(interleaved.layout);
    }

    @Override
    public MatrixKernel interleaved() {
        return interleaved == null ? MatrixKernel.super.interleaved() : interleaved;
    }

    @Override
    public int scratchLength(int columns, int tokens) {
        if (form.length(columns, tokens) == 0) {
            return plain.scratchLength(columns, tokens);
        }
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
        if (form.length(x.columns(), x.tokens()) == 0) {
            plain.multiply(weights, from, to, x, out, outOffset, rows, scratch);
            return;
        }
        MemorySegment target = MemorySegment.ofArray(out).asSlice((long) outOffset * Float.BYTES);
        if (usesPanels(x.tokens())) {
            multiplyMany(weights, from, to, x, target, rows, MemorySegment.ofArray(scratch));
        } else {
            for (int token = 0; token < x.tokens(); token += GroupedActivations.GROUP) {
                multiplyFew(weights, from, to, x, token / GroupedActivations.GROUP, target, rows);
            }
        }
    }

    private void multiplyFew(
            MemorySegment weights, int from, int to, Activations x, int group, MemorySegment out, int rows) {
        int columns = x.columns();
        MemorySegment multiply = few.get(GroupedActivations.groupSize(group, x.tokens()));
        MemorySegment activations = form.group(x, group);
        MemorySegment results = out.asSlice((long) group * GroupedActivations.GROUP * rows * Float.BYTES);
        long rowBytes = type.byteSize(columns);
        long tokenBytes = (long) rows * Float.BYTES;
        long blocks = columns / GroupedActivations.BLOCK;
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
            RowGroup last = group(weights, rest, to, rowBytes);
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
        long rowBytes = type.byteSize(columns);
        long tokenBytes = (long) rows * Float.BYTES;
        long blocks = columns / GroupedActivations.BLOCK;
        long panelBytes = code.panelBytes(columns);
        RowGroup[] groups = new RowGroup[panels(columns)];
        MemorySegment unpack = panel.get(0);
        for (int row = from; row < to; row += groups.length * groupRows) {
            int count = Math.min(groups.length, Math.ceilDiv(to - row, groupRows));
            for (int p = 0; p < count; p++) {
                int first = row + p * groupRows;
                RowGroup group = group(weights, first, Math.min(to, first + groupRows), rowBytes);
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
            for (int token = 0; token < x.tokens(); token += GroupedActivations.GROUP) {
                int number = token / GroupedActivations.GROUP;
                MemorySegment activations = form.group(x, number);
                MemorySegment multiply = panel.get(GroupedActivations.groupSize(number, x.tokens()));
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

    private RowGroup group(MemorySegment weights, int from, int to, long rowBytes) {
        return layout != null
                ? RowGroup.ofInterleaved(weights, from, to, rowBytes, groupRows)
                : RowGroup.of(weights, from, to, rowBytes, groupRows);
    }

    @Override
    public void dequantizeRow(MemorySegment weights, int row, int columns, float[] out, int outOffset) {
        if (layout != null) {
            MemorySegment bytes = layout.row(weights, row, Math.toIntExact(type.byteSize(columns)));
            plain.dequantizeRow(bytes, 0, columns, out, outOffset);
            return;
        }
        plain.dequantizeRow(weights, row, columns, out, outOffset);
    }
}
