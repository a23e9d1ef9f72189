package org.bloomery.engine.grammar;

import java.util.concurrent.locks.ReentrantLock;

/**
 * A grammar over the tokens of one vocabulary. It remembers the masks it computed, up to a bound; all generations under the
 * same constraint share it. Safe for use by many threads.
 */
public final class TokenGrammar {

    /** Most memory of remembered states and masks. */
    static final long MAX_REMEMBERED = 16L << 20;

    private final Grammar grammar;
    private final TokenTrie trie;
    private final Automaton automaton;
    private final ReentrantLock lock = new ReentrantLock();
    private long maskBytes;
    private volatile long byteSize;

    private TokenGrammar(Grammar grammar, TokenTrie trie) {
        this.grammar = grammar;
        this.trie = trie;
        this.automaton = new Automaton(grammar.network());
        this.byteSize = grammar.byteSize();
    }

    public static TokenGrammar of(Grammar grammar, TokenTrie trie) {
        return new TokenGrammar(grammar, trie);
    }

    /** Memory it takes now, roughly, in bytes. */
    public long byteSize() {
        return byteSize;
    }

    /** A follower of one answer, at its beginning. */
    public GrammarMatcher matcher() {
        return new GrammarMatcher(this, automaton.start());
    }

    TokenMask mask(Automaton.State state) {
        lock.lock();
        try {
            TokenMask known = state.mask();
            if (known == null) {
                if (automaton.byteSize() + maskBytes > MAX_REMEMBERED) {
                    automaton.forget();
                    maskBytes = 0;
                }
                automaton.restartCount();
                known = trie.mask(automaton, state);
                state.keep(known);
                maskBytes += known.byteSize();
                byteSize = grammar.byteSize() + automaton.byteSize() + maskBytes;
            }
            return known;
        } finally {
            lock.unlock();
        }
    }

    /** The state after a token that the state's mask allows. */
    Automaton.State after(Automaton.State from, int token) {
        if (trie.endsGeneration(token) && from.accepting()) {
            return automaton.refused();
        }
        byte[] bytes = trie.bytes(token);
        lock.lock();
        try {
            automaton.restartCount();
            Automaton.State state = from;
            for (byte b : bytes) {
                state = automaton.next(state, b & 0xFF);
            }
            if (state == automaton.refused() || bytes.length == 0) {
                throw new IllegalArgumentException("token " + token + " is not allowed here");
            }
            return state;
        } finally {
            lock.unlock();
        }
    }
}
