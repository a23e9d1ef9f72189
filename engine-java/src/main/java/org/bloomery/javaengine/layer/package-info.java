/**
 * The blocks that models are built of: norms, rotary embedding, attention, feed-forward networks. They know shapes and
 * the cache, and no architecture's name. Activations are {@code float[]}, row-major, one row a token.
 */
@NullMarked
package org.bloomery.javaengine.layer;

import org.jspecify.annotations.NullMarked;
