/**
 * Many sequences at once over one backend.
 *
 * <p>One worker thread owns the backend. Each of its steps is one {@link org.bloomery.engine.backend.Batch}: one token
 * of every sequence that is writing its answer, and chunks of the prompts that are still being read. Between two steps
 * it takes in new requests, drops cancelled and late ones, and gives freed slots away.
 *
 * <p>A slot is a place in the backend's cache for one sequence of full context length. When a sequence ends, its slot
 * keeps the tokens; a later prompt that begins with the same tokens continues from there, in the same slot or in a copy.
 */
@NullMarked
package org.bloomery.engine.scheduler;

import org.jspecify.annotations.NullMarked;
