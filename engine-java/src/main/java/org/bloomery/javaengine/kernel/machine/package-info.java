/**
 * The tier of kernels in machine code, assembled at run time for the processor at hand: integer dot products, which no
 * Java API has. It needs x86-64 with AVX2 or more, Linux, and native access; neither a native library nor a module.
 *
 * <p>Activations of quantised weights are rounded to int8 once a product ({@link
 * org.bloomery.javaengine.kernel.machine.ByteActivations}), and one design a {@link
 * org.bloomery.javaengine.kernel.machine.FeatureLevel} serves all quantised types; each result is the same to the bit
 * however many tokens are computed together.
 *
 * <p>With AVX-512, sixteen rows of weights are unpacked block by block, 32 columns each, into eight registers: register
 * {@code j} holds in lane {@code r} the four bytes of row {@code r} and columns {@code 4j} to {@code 4j + 3}, as unsigned
 * numbers. A multiply-add of four bytes a lane with four broadcast activations then needs no shuffle, neither for one
 * token nor for many. For few tokens a kernel unpacks and multiplies at once, reading each weight once; for many, weights
 * are unpacked to a panel in the second-level cache, which all tokens use. With AVX2, which has half the registers, a block
 * of one row is unpacked into one register and multiplied with four tokens. F32, F16 and BF16 rows are multiplied in
 * single precision, with activations as they are, and so are the two products of attention and the loops that need exponentials.
 *
 * <p>With AVX512-BF16 the products of BF16 weights go the way of the quantised ones instead: pairs of columns take the place
 * of four bytes, nothing is unpacked, and activations are rounded to brain floats ({@link
 * org.bloomery.javaengine.kernel.machine.Bf16Activations}).
 *
 * <p>{@link org.bloomery.javaengine.kernel.machine.Assembler} writes the instructions, {@link
 * org.bloomery.javaengine.kernel.machine.ExecutableMemory} holds them: written first, executable after, never both. The
 * code checks nothing; the kernels slice what they pass to the length that it reads, and the size of results is checked by
 * who calls them.
 */
@NullMarked
package org.bloomery.javaengine.kernel.machine;

import org.jspecify.annotations.NullMarked;
