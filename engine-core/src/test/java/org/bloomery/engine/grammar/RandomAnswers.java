package org.bloomery.engine.grammar;

import java.io.ByteArrayOutputStream;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Writes answers as a model that knows nothing would: any allowed token, with a leaning towards the end. */
final class RandomAnswers {

    private final TestVocabulary vocabulary;
    private final TokenTrie trie;
    private final Random random;

    RandomAnswers(TestVocabulary vocabulary, Random random) {
        this.vocabulary = vocabulary;
        this.trie = TokenTrie.of(vocabulary);
        this.random = random;
    }

    TokenGrammar over(Grammar grammar) {
        return TokenGrammar.of(grammar, trie);
    }

    /** A whole answer in UTF-8, or null where it did not end within so many tokens. */
    byte @Nullable [] write(TokenGrammar grammar, int maxTokens) {
        GrammarMatcher matcher = grammar.matcher();
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        for (int i = 0; i < maxTokens; i++) {
            if (matcher.complete()) {
                return answer.toByteArray();
            }
            int token = choose(matcher.mask(), i > maxTokens / 2 ? 0.9 : 0.25);
            if (token == TestVocabulary.END) {
                return answer.toByteArray();
            }
            matcher.accept(token);
            answer.writeBytes(vocabulary.bytes(token));
        }
        return null;
    }

    private int choose(TokenMask mask, double leaning) {
        if (random.nextDouble() < leaning) {
            if (mask.allows(TestVocabulary.END)) {
                return TestVocabulary.END;
            }
            for (int closing : new int[] {'"', '}', ']'}) {
                if (mask.allows(TestVocabulary.TURN + 1 + closing)) {
                    return TestVocabulary.TURN + 1 + closing;
                }
            }
        }
        int skip = random.nextInt(mask.count());
        for (int token = 0; ; token++) {
            if (mask.allows(token) && skip-- == 0) {
                return token;
            }
        }
    }
}
