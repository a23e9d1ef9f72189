/**
 * Text to token ids and back.
 */
@NullMarked
package org.bloomery.engine.tokenizer;

import org.jspecify.annotations.NullMarked;
