package org.bloomery.engine.grammar;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What every notation is translated to: a context-free language of bytes. */
sealed interface Expr {

    /** The empty text. */
    Expr EMPTY = new Sequence(List.of());

    /** No text at all. */
    Expr NEVER = new Choice(List.of());

    /** These bytes. */
    record Literal(byte[] bytes) implements Expr {}

    /** One character of a set, in UTF-8. */
    record Chars(CodePoints set) implements Expr {}

    /** One after the other. */
    record Sequence(List<Expr> parts) implements Expr {}

    /** One of several. */
    record Choice(List<Expr> alternatives) implements Expr {}

    /**
     * Several times.
     *
     * @param most {@link Integer#MAX_VALUE} for no bound
     */
    record Repeat(Expr body, int least, int most) implements Expr {}

    /** What a rule of the grammar stands for. */
    record Rule(int number) implements Expr {}

    /**
     * The texts of an automaton.
     *
     * @param escaped whether as the inside of a JSON string, else as they are
     */
    record Text(CharDfa texts, boolean escaped) implements Expr {}

    /**
     * A list in a fixed order from which members may be missing.
     *
     * @param separator between two members that are there
     * @param more what may follow them, or null for nothing
     * @param most how many times {@code more} may follow, at least once; {@link Integer#MAX_VALUE} for no bound
     * @param some whether the list must not be empty
     */
    record Members(
            List<Member> members, Expr separator, @Nullable Expr more, int most, boolean some) implements Expr {}

    /** A member of a list. */
    record Member(Expr expr, boolean required) {}

    static Expr literal(String text) {
        return new Literal(text.getBytes(StandardCharsets.UTF_8));
    }

    static Expr sequence(Expr... parts) {
        return new Sequence(List.of(parts));
    }

    static Expr choice(Expr... alternatives) {
        return new Choice(List.of(alternatives));
    }

    static Expr optional(Expr body) {
        return new Repeat(body, 0, 1);
    }
}
