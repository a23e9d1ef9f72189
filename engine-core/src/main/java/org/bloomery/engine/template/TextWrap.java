package org.bloomery.engine.template;

import java.util.ArrayDeque;
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
        ArrayDeque<Text> chunks = chunks(line);
        List<Value> lines = new ArrayList<>();
        while (!chunks.isEmpty()) {
            if (isSpace(chunks.getFirst()) && !lines.isEmpty()) {
                chunks.removeFirst();
            }
            ArrayDeque<Text> current = new ArrayDeque<>();
            int length = 0;
            while (!chunks.isEmpty() && length + chunks.getFirst().codePoints() <= width) {
                length += chunks.getFirst().codePoints();
                current.addLast(chunks.removeFirst());
            }
            if (!chunks.isEmpty() && chunks.getFirst().codePoints() > width) {
                longWord(chunks, current, width - length);
            }
            // Only the last part goes where it is blank or empty, as in the original
            if (!current.isEmpty() && (current.getLast().isEmpty() || isSpace(current.getLast()))) {
                current.removeLast();
            }
            if (!current.isEmpty()) {
                fuel.element(lines.size());
                lines.add(current.stream().reduce(Text.EMPTY, Text::plus));
            }
        }
        return lines;
    }

    /** Moves what fits of a word that fits in no line, or all of it where words stay whole. */
    private void longWord(ArrayDeque<Text> chunks, ArrayDeque<Text> current, int left) {
        Text word = chunks.getFirst();
        if (breakWords) {
            int end = word.offset(left);
            if (breakHyphens) {
                int hyphen = word.chars().lastIndexOf('-', end - 1);
                if (hyphen > 0 && word.chars().substring(0, hyphen).chars().anyMatch(c -> c != '-')) {
                    end = hyphen + 1;
                }
            }
            current.addLast(word.slice(0, end));
            chunks.removeFirst();
            chunks.addFirst(word.slice(end, word.length()));
        } else if (current.isEmpty()) {
            current.addLast(chunks.removeFirst());
        }
    }

    private static boolean isSpace(Text chunk) {
        return !chunk.isEmpty() && isSpace(chunk.chars().charAt(0));
    }

    /** The white space that textwrap knows: ASCII only. */
    private static boolean isSpace(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
    }

    /** Words and white space in turn; words with hyphens between letters are parts that end with the hyphen. */
    private ArrayDeque<Text> chunks(Text line) {
        String text = line.chars();
        ArrayDeque<Text> chunks = new ArrayDeque<>();
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
                chunks.addLast(line.slice(from, i + 1));
                from = i + 1;
            }
        }
        return chunks;
    }
}
