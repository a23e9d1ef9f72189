package org.bloomery.engine.chat;

import org.jspecify.annotations.Nullable;

/** A place in a text that moves forward over what it expects there. */
final class Cursor {

    private final String text;
    private int index;

    Cursor(String text) {
        this.text = text;
    }

    int index() {
        return index;
    }

    void moveTo(int place) {
        index = place;
    }

    boolean atEnd() {
        return index >= text.length();
    }

    /** The character here, 0 at the end. */
    char peek() {
        return atEnd() ? 0 : text.charAt(index);
    }

    char next() {
        char here = peek();
        index++;
        return here;
    }

    boolean startsWith(String expected) {
        return text.startsWith(expected, index);
    }

    /** Skips white space, if any; always true. */
    boolean skipsSpace() {
        while (index < text.length() && Character.isWhitespace(text.charAt(index))) {
            index++;
        }
        return true;
    }

    /** Skips a text if it stands here. */
    boolean skips(String expected) {
        if (!startsWith(expected)) {
            return false;
        }
        index += expected.length();
        return true;
    }

    /** What stands before a mark, which is skipped; null where it does not come. */
    @Nullable
    String until(String mark) {
        int at = text.indexOf(mark, index);
        if (at < 0) {
            return null;
        }
        String found = text.substring(index, at);
        index = at + mark.length();
        return found;
    }

    /**
     * As {@link #until}, for a mark that counts only if one of two others follows it, white space aside: what stands here
     * may hold the mark itself.
     *
     * @param second empty for the end of the text
     */
    @Nullable
    String untilBefore(String mark, String first, String second) {
        int from = index;
        for (int at = text.indexOf(mark, from); at >= 0; at = text.indexOf(mark, at + 1)) {
            index = at + mark.length();
            skipsSpace();
            if (startsWith(first) || (second.isEmpty() ? atEnd() : startsWith(second))) {
                return text.substring(from, at);
            }
        }
        index = from;
        return null;
    }

    /** What it means that none of these stands here: the text may end before it does. */
    CallReader.Reading failed(String... expected) {
        String rest = text.substring(index);
        for (String each : expected) {
            if (each.startsWith(rest)) {
                return CallReader.Reading.INCOMPLETE;
            }
        }
        return CallReader.Reading.NONE;
    }
}
