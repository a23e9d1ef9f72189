package org.bloomery.engine.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bloomery.engine.TextSpan;
import org.jspecify.annotations.Nullable;

/**
 * A string in which every character knows whether it came from the template and its operator (trusted) or from user data
 * (untrusted). A concatenation only refers to its parts until somebody looks inside, so that building a text piece by
 * piece takes linear time. Equality is Python's: characters only.
 */
final class Text implements Value, Comparable<Text> {

    private static final int[] NO_CUTS = {};
    static final Text EMPTY = new Text("", NO_CUTS, true, false);

    private final int length;
    private final boolean markup;
    /** Null while this is a concatenation of left and right. */
    private @Nullable String chars;
    /** Where trust changes, ascending, each inside the text. */
    private int[] cuts;

    private boolean firstTrusted;
    private @Nullable Text left;
    private @Nullable Text right;
    /** -1 until counted. */
    private int codePoints = -1;

    private Text(String chars, int[] cuts, boolean firstTrusted, boolean markup) {
        this.length = chars.length();
        this.chars = chars;
        this.cuts = cuts;
        this.firstTrusted = firstTrusted;
        this.markup = markup;
    }

    private Text(Text left, Text right, boolean markup) {
        this.length = left.length + right.length;
        this.left = left;
        this.right = right;
        this.cuts = NO_CUTS;
        this.markup = markup;
    }

    static Text trusted(String chars) {
        return of(chars, true);
    }

    static Text untrusted(String chars) {
        return of(chars, false);
    }

    static Text of(String chars, boolean trusted) {
        return new Text(chars, NO_CUTS, trusted, false);
    }

    /** This text followed by the other one. */
    Text plus(Text other) {
        if (other.length == 0) {
            return markup == other.markup ? this : withMarkup(markup || other.markup);
        }
        if (length == 0) {
            return other.withMarkup(markup || other.markup);
        }
        Text both = new Text(this, other, markup || other.markup);
        return both.length < 64 ? both.flat() : both;
    }

    /** Length in UTF-16 units. */
    int length() {
        return length;
    }

    boolean isEmpty() {
        return length == 0;
    }

    /** Whether Python would hold a markupsafe.Markup, which escapes what is joined to it. */
    boolean markup() {
        return markup;
    }

    Text withMarkup(boolean wanted) {
        if (wanted == markup) {
            return this;
        }
        String text = chars();
        return new Text(text, cuts, firstTrusted, wanted);
    }

    String chars() {
        String text = chars;
        return text != null ? text : Objects.requireNonNull(flat().chars);
    }

    private Text flat() {
        if (chars != null) {
            return this;
        }
        Builder builder = new Builder(length);
        ArrayDeque<Text> rest = new ArrayDeque<>();
        rest.push(this);
        while (!rest.isEmpty()) {
            Text next = rest.pop();
            if (next.chars == null) {
                rest.push(Objects.requireNonNull(next.right));
                rest.push(Objects.requireNonNull(next.left));
            } else {
                builder.append(next);
            }
        }
        Text whole = builder.build();
        cuts = whole.cuts;
        firstTrusted = whole.firstTrusted;
        chars = whole.chars;
        left = null;
        right = null;
        return this;
    }

    /** Whether every character is trusted. */
    boolean trusted() {
        flat();
        return cuts.length == 0 && firstTrusted;
    }

    /** Whether all characters have one origin. */
    boolean uniform() {
        flat();
        return cuts.length == 0;
    }

    /** The characters between two UTF-16 offsets. */
    Text slice(int from, int to) {
        String text = chars();
        if (from >= to) {
            return markup ? EMPTY.withMarkup(true) : EMPTY;
        }
        if (from == 0 && to == length) {
            return this;
        }
        if (cuts.length == 0) {
            return new Text(text.substring(from, to), NO_CUTS, firstTrusted, markup);
        }
        int low = firstCutAfter(from);
        int high = low;
        while (high < cuts.length && cuts[high] < to) {
            high++;
        }
        int[] inside = new int[high - low];
        for (int i = 0; i < inside.length; i++) {
            inside[i] = cuts[low + i] - from;
        }
        return new Text(text.substring(from, to), inside, firstTrusted == (low % 2 == 0), markup);
    }

    private int firstCutAfter(int offset) {
        int at = Arrays.binarySearch(cuts, offset);
        return at >= 0 ? at + 1 : -at - 1;
    }

    /** Length in code points, which is Python's len. */
    int codePoints() {
        if (codePoints < 0) {
            codePoints = chars().codePointCount(0, length);
        }
        return codePoints;
    }

    /** The UTF-16 offset of a code point index in 0..codePoints. */
    int offset(int codePoint) {
        return codePoints() == length ? codePoint : chars().offsetByCodePoints(0, codePoint);
    }

    /** The code point index of a UTF-16 offset. */
    int index(int offset) {
        return codePoints() == length ? offset : chars().codePointCount(0, offset);
    }

    /** One text a code point. */
    List<Value> characters() {
        String text = chars();
        if (codePoints() == length) {
            return new java.util.AbstractList<>() {
                @Override
                public Value get(int index) {
                    return slice(index, index + 1);
                }

                @Override
                public int size() {
                    return length;
                }
            };
        }
        List<Value> result = new ArrayList<>(codePoints());
        for (int at = 0; at < length; ) {
            int next = at + Character.charCount(text.codePointAt(at));
            result.add(slice(at, next));
            at = next;
        }
        return result;
    }

    /** Other characters with this text's origin: untrusted unless all of this is trusted. */
    Text derived(String result) {
        return new Text(result, NO_CUTS, trusted(), markup);
    }

    /**
     * Changes characters one by one or nearly so. Origin is kept run by run where the result is the same as changing the
     * runs each alone, otherwise as in {@link #derived}.
     */
    Text mapped(java.util.function.UnaryOperator<String> change) {
        String whole = change.apply(chars());
        if (cuts.length == 0) {
            return new Text(whole, NO_CUTS, firstTrusted, markup);
        }
        Builder builder = new Builder(whole.length());
        for (TextSpan span : spans()) {
            builder.append(change.apply(span.text()), span.trusted());
        }
        Text byRuns = builder.build().withMarkup(markup);
        return byRuns.chars().equals(whole) ? byRuns : derived(whole);
    }

    /** The runs of one origin, in order; none for an empty text. */
    List<TextSpan> spans() {
        String text = chars();
        List<TextSpan> spans = new ArrayList<>(cuts.length + 1);
        boolean trusted = firstTrusted;
        int from = 0;
        for (int i = 0; i <= cuts.length; i++) {
            int to = i < cuts.length ? cuts[i] : length;
            if (to > from) {
                spans.add(new TextSpan(text.substring(from, to), trusted));
            }
            trusted = !trusted;
            from = to;
        }
        return spans;
    }

    /** The trusted characters, with an ellipsis for each untrusted run: what an error message may show. */
    String shown() {
        StringBuilder result = new StringBuilder();
        for (TextSpan span : spans()) {
            result.append(span.trusted() ? span.text() : "…");
        }
        return result.toString();
    }

    /** Order by code points. */
    @Override
    public int compareTo(Text other) {
        String a = chars();
        String b = other.chars();
        int common = Math.min(a.length(), b.length());
        for (int i = 0; i < common; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                // Surrogates stand for code points above every other char
                boolean high = Character.isSurrogate(x);
                return high == Character.isSurrogate(y) ? Character.compare(x, y) : high ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Text text
                && text.length == length
                && text.chars().equals(chars());
    }

    @Override
    public int hashCode() {
        return chars().hashCode();
    }

    /** Names the length only: prompt text stays out of logs. */
    @Override
    public String toString() {
        return "Text[" + length + " characters]";
    }

    /** Collects characters with their origin. */
    static final class Builder {

        private final StringBuilder chars;
        private int[] cuts = NO_CUTS;
        private int cutCount;
        private boolean firstTrusted = true;
        private boolean lastTrusted = true;

        Builder() {
            this(16);
        }

        Builder(int capacity) {
            this.chars = new StringBuilder(capacity);
        }

        int length() {
            return chars.length();
        }

        Builder append(String text, boolean trusted) {
            if (!text.isEmpty()) {
                mark(trusted);
                chars.append(text);
            }
            return this;
        }

        Builder append(Text text) {
            return append(text, 0, text.length);
        }

        Builder append(Text text, int from, int to) {
            String source = text.chars();
            int cut = text.cuts.length == 0 ? 0 : text.firstCutAfter(from);
            boolean trusted = text.firstTrusted == (cut % 2 == 0);
            for (int at = from; at < to; cut++) {
                int end = cut < text.cuts.length ? Math.min(text.cuts[cut], to) : to;
                mark(trusted);
                chars.append(source, at, end);
                trusted = !trusted;
                at = end;
            }
            return this;
        }

        private void mark(boolean trusted) {
            if (chars.isEmpty()) {
                firstTrusted = trusted;
            } else if (trusted != lastTrusted) {
                if (cutCount == cuts.length) {
                    cuts = Arrays.copyOf(cuts, Math.max(8, 2 * cutCount));
                }
                cuts[cutCount++] = chars.length();
            }
            lastTrusted = trusted;
        }

        Text build() {
            return new Text(chars.toString(), Arrays.copyOf(cuts, cutCount), firstTrusted, false);
        }
    }
}
