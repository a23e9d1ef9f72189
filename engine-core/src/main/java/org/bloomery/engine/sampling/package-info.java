/**
 * From logits to the next token.
 *
 * <p>The chain runs in the order of llama.cpp's default: logit bias, repetition/frequency/presence penalties, DRY, top-k,
 * typical, top-p, min-p, XTC, temperature, then one draw. A neutral value leaves its step out. Temperature 0 takes the
 * most probable token after bias, penalties and DRY and leaves the rest out.
 */
@NullMarked
package org.bloomery.engine.sampling;

import org.jspecify.annotations.NullMarked;
