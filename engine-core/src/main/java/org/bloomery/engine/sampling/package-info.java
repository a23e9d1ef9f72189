/**
 * From logits to the next token.
 */
@NullMarked
package org.bloomery.engine.sampling;

import org.jspecify.annotations.NullMarked;
