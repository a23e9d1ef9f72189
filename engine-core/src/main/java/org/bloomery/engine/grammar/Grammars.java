package org.bloomery.engine.grammar;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * The constraints in use with one model, compiled. Those used last are remembered with their masks, up to a number of
 * bytes, so that an application's few schemas are compiled once. Safe for use by many threads.
 */
public final class Grammars {

    private static final long DEFAULT_BYTES = 128L << 20;

    private final Tokenizer tokenizer;
    private final long maxBytes;
    private final ReentrantLock lock = new ReentrantLock();
    /** The one used last at the end. */
    private final LinkedHashMap<Key, TokenGrammar> remembered = new LinkedHashMap<>(16, 0.75f, true);

    private @Nullable TokenTrie trie;

    private record Key(@Nullable Constraint constraint, Shape shape) {
        long bytes() {
            return 1000L + (constraint == null ? 0 : constraint.size());
        }
    }

    public Grammars(Tokenizer tokenizer) {
        this(tokenizer, DEFAULT_BYTES);
    }

    Grammars(Tokenizer tokenizer, long maxBytes) {
        this.tokenizer = tokenizer;
        this.maxBytes = maxBytes;
    }

    /**
     * A follower of one answer under a constraint.
     *
     * @param constraint what stands in the place of {@link Shape#ANSWER}; null for a shape that has no such place
     * @throws GrammarException naming what is broken, not supported or too large, and where it stands
     */
    public GrammarMatcher matcher(@Nullable Constraint constraint, Shape shape) {
        Key key = new Key(constraint, shape);
        TokenGrammar known;
        lock.lock();
        try {
            known = remembered.get(key);
        } finally {
            lock.unlock();
        }
        if (known == null) {
            // Outside of the lock: who needs a known constraint does not wait for a new one
            Grammar grammar = Grammar.of(constraint, shape);
            known = remember(key, TokenGrammar.of(grammar, trie()));
        }
        return known.matcher();
    }

    private TokenTrie trie() {
        lock.lock();
        try {
            TokenTrie made = trie;
            if (made == null) {
                made = TokenTrie.of(tokenizer);
                trie = made;
            }
            return made;
        } finally {
            lock.unlock();
        }
    }

    private TokenGrammar remember(Key key, TokenGrammar compiled) {
        lock.lock();
        try {
            TokenGrammar other = remembered.putIfAbsent(key, compiled);
            long bytes = 0;
            for (Map.Entry<Key, TokenGrammar> each : remembered.entrySet()) {
                bytes += each.getKey().bytes() + each.getValue().byteSize();
            }
            Iterator<Map.Entry<Key, TokenGrammar>> eldest =
                    remembered.entrySet().iterator();
            while (bytes > maxBytes && remembered.size() > 1) {
                Map.Entry<Key, TokenGrammar> each = eldest.next();
                bytes -= each.getKey().bytes() + each.getValue().byteSize();
                eldest.remove();
            }
            return other == null ? compiled : other;
        } finally {
            lock.unlock();
        }
    }

    /** How many are remembered. */
    int size() {
        lock.lock();
        try {
            return remembered.size();
        } finally {
            lock.unlock();
        }
    }
}
