/**
 * The element types of weights: how each lays out its blocks, and the plainest code that reads and writes them, against
 * which every faster kernel is checked. Layouts and arithmetic are those of ggml's {@code ggml-quants.c}; numbers are
 * little-endian and scales are IEEE half floats.
 */
@NullMarked
package org.bloomery.javaengine.quant;

import org.jspecify.annotations.NullMarked;
