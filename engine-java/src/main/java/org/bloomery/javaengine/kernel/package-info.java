/**
 * What the arithmetic of a forward pass is made of: products of quantised rows with activations, and the inner loops of
 * attention. {@link org.bloomery.javaengine.kernel.KernelLookup} chooses a tier once; a tier computes in blocks of rows, so
 * that no virtual call happens inside a loop over elements.
 */
@NullMarked
package org.bloomery.javaengine.kernel;

import org.jspecify.annotations.NullMarked;
