package org.bloomery.engine.template;

import java.util.ArrayList;
import java.util.List;

/**
 * Python's textwrap.wrap for one line without tab expansion: the words of the line in lines of a width, white space at
 * the breaks dropped.
 */
final class TextWrap {

    private final int width;
    private final boolean breakWords;
    private final boolean breakHyphens;
    private final Fuel fuel;

    TextWrap(int width, boolean breakWords, boolean breakHyphens, Fuel fuel) {
        if (width <= 0) {
            throw new Failure("invalid width " + width + " (must be > 0)");
        }
        this.width = width;
        this.breakWords = breakWords;
        this.breakHyphens = breakHyphens;
        this.fuel = fuel;
    }

    List<Value> wrap(Text line) {
        List<Text> chunks = chunks(line);
        List<Value> lines = new ArrayList<>();
        int next = 0;
        while (next < chunks.size()) {
            if (isSpace(chunks.get(next)) && !lines.isEmpty()) {
                next++;
            }
            Text current = Text.EMPTY;
            int length = 0;
            int last = next;
            while (next < chunks.size() && length + chunks.get(next).codePoints() <= width) {
                length += chunks.get(next).codePoints();
                current = current.plus(chunks.get(next++));
            }
            if (next < chunks.size() && chunks.get(next).codePoints() > width) {
                Text word = chunks.get(next);
                if (breakWords) {
                    int end = word.offset(breakAt(word, width - length));
                    current = current.plus(word.slice(0, end));
                    chunks.set(next, word.slice(end, word.length()));
                    last = -1;
                } else if (length == 0) {
                    current = word;
                    next++;
                }
            }
            if (last != next || !current.isEmpty()) {
                Text kept = next > 0 && last >= 0 && next > last && isSpace(chunks.get(next - 1))
                        ? current.slice(
                                0, current.length() - chunks.get(next - 1).length())
                        : current;
                if (!kept.isEmpty()) {
                    fuel.element(lines.size());
                    lines.add(kept);
                }
            }
        }
        return lines;
    }

    /** Where to break a word that does not fit: behind a hyphen where that is allowed, else where the line ends. */
    private int breakAt(Text word, int left) {
        int space = Math.max(left, 1);
        if (breakHyphens && word.codePoints() > space) {
            int hyphen = word.chars().lastIndexOf('-', word.offset(space) - 1);
            if (hyphen > 0 && word.chars().substring(0, hyphen).chars().anyMatch(c -> c != '-')) {
                return word.index(hyphen) + 1;
            }
        }
        return space;
    }

    private static boolean isSpace(Text chunk) {
        return !chunk.isEmpty() && isSpace(chunk.chars().charAt(0));
    }

    /** The white space that textwrap knows: ASCII only. */
    private static boolean isSpace(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
    }

    /** Words and white space in turn; words with hyphens between letters are parts that end with the hyphen. */
    private List<Text> chunks(Text line) {
        String text = line.chars();
        List<Text> chunks = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean end = i + 1 == text.length() || isSpace(c) != isSpace(text.charAt(i + 1));
            boolean hyphen = breakHyphens
                    && c == '-'
                    && i - from >= 2
                    && i + 2 < text.length()
                    && Character.isLetter(text.charAt(i - 1))
                    && Character.isLetter(text.charAt(i + 1));
            if (end || hyphen) {
                fuel.element(chunks.size());
                chunks.add(line.slice(from, i + 1));
                from = i + 1;
            }
        }
        return chunks;
    }
}
