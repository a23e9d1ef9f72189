/**
 * What a backend must do: turn a batch of token ids into logits.
 */
@NullMarked
package org.bloomery.engine.backend;

import org.jspecify.annotations.NullMarked;
