/**
 * Constrained answers: from a JSON Schema, a regular expression, a list of choices or a GBNF grammar to the tokens that may
 * come next.
 *
 * <p>Every notation becomes an {@code Expr}, a context-free language of bytes, and that a {@code Network}: states with
 * moves over bytes, calls and counted repetitions. Strings with patterns, formats and lengths, and numbers with bounds,
 * are deterministic automata over characters first ({@code CharDfa}), so that they can be intersected. An {@code Automaton}
 * runs a network over all positions that a text may have reached at once; those sets of positions are its states, found when
 * first needed. A {@link org.bloomery.engine.grammar.TokenTrie} holds the vocabulary by bytes, so one walk over it finds
 * every token that a state allows, however many symbols of the grammar the token spans; the
 * {@link org.bloomery.engine.grammar.TokenMask} is remembered with the state.
 *
 * <p>Everything is counted: nesting, states, steps of compiling, positions at once, steps for one mask, memory of
 * remembered masks. What is beyond a limit, or not supported, is a
 * {@link org.bloomery.engine.grammar.GrammarException}; an answer is never unconstrained instead. UTF-8 is exact: no
 * overlong forms, no surrogates, no end within a character.
 */
@NullMarked
package org.bloomery.engine.grammar;

import org.jspecify.annotations.NullMarked;
