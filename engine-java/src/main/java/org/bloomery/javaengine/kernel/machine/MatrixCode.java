package org.bloomery.javaengine.kernel.machine;

/**
 * What assembles the kernels of one element type with packed activations. All kernels take the arguments {@code (weights, bytes from row
 * to row, activations, out, bytes from one token's results to the next's, blocks of 32 columns, groups of rows, mask of
 * the rows to store)}; a group has {@link #rows} rows.
 */
interface MatrixCode {

    /** Rows that are computed side by side. */
    int rows();

    /** The most tokens that {@link #multiplyFew} takes: a whole group of them where there are no panels. */
    int few();

    /** Whether more tokens go through panels; without, they go a group at a time through {@link #multiplyFew}. */
    boolean hasPanels();

    /** Bytes of the unpacked form of a group of rows. */
    int panelBytes(int columns);

    /** Multiplies groups of rows with so many tokens, each weight read once and used at once. */
    byte[] multiplyFew(int tokens);

    /** Unpacks one group of rows to a panel, which is given in place of the activations. */
    byte[] unpackPanel();

    /** Multiplies a panel, given in place of the weights, with a group of tokens. */
    byte[] multiplyPanel(int tokens);
}
