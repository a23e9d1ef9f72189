package org.bloomery.engine.chat;

import java.util.List;

/**
 * A mark in a text.
 *
 * @param text the mark
 * @param at where it begins; the largest integer where it does not occur
 */
record Mark(String text, int at) {

    static final Mark NONE = new Mark("", Integer.MAX_VALUE);

    boolean found() {
        return at != Integer.MAX_VALUE;
    }

    int end() {
        return at + text.length();
    }

    /** The first of some marks at an index or behind it. */
    static Mark first(List<String> marks, CharSequence text, int from) {
        Mark first = NONE;
        for (String mark : marks) {
            int at = text instanceof StringBuilder buffer
                    ? buffer.indexOf(mark, from)
                    : text.toString().indexOf(mark, from);
            if (!mark.isEmpty() && at >= 0 && at < first.at) {
                first = new Mark(mark, at);
            }
        }
        return first;
    }

    /** How many characters at a text's end may begin one of some marks. */
    static int beginning(List<String> marks, CharSequence text) {
        int longest = 0;
        for (String mark : marks) {
            for (int length = Math.min(mark.length() - 1, text.length()); length > longest; length--) {
                if (mark.startsWith(
                        text.subSequence(text.length() - length, text.length()).toString())) {
                    longest = length;
                }
            }
        }
        return longest;
    }
}
