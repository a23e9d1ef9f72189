package org.bloomery.engine.grammar;

/** Follows one answer through its grammar. One generation, one matcher; not safe for use by several threads. */
public final class GrammarMatcher {

    private final TokenGrammar grammar;
    private Automaton.State state;

    GrammarMatcher(TokenGrammar grammar, Automaton.State start) {
        this.grammar = grammar;
        this.state = start;
    }

    /**
     * The tokens that may come next; tokens that end the generation are among them where the answer may end.
     *
     * @throws GrammarException if no token of the vocabulary can go on, or the grammar is too ambiguous
     */
    public TokenMask mask() {
        TokenMask mask = grammar.mask(state);
        if (mask.count() == 0) {
            throw new GrammarException(
                    "No token of the model's vocabulary can continue the answer under its constraint;"
                            + " allow characters that the vocabulary has.");
        }
        return mask;
    }

    /**
     * Goes on behind a token; one that ends the generation leads nowhere.
     *
     * @param token one that {@link #mask} allows
     * @throws IllegalArgumentException if it is not allowed
     */
    public void accept(int token) {
        state = grammar.after(state, token);
    }

    /** Whether the answer may end here. */
    public boolean mayEnd() {
        return state.accepting();
    }

    /** Whether the answer must end here: nothing can follow. */
    public boolean complete() {
        return state.accepting() && state.closed();
    }
}
