package org.bloomery.engine;

import java.util.List;

/**
 * Finds stop strings in text that comes in pieces, also across pieces: holds back what may be the beginning of one. Not
 * safe for use by several threads.
 */
final class StopStrings {

    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean found;

    StopStrings(List<String> stops) {
        this.stops = stops;
    }

    /** Takes more text and returns what certainly comes before any stop string. */
    String accept(String text) {
        if (found) {
            return "";
        }
        if (stops.isEmpty()) {
            return text;
        }
        held.append(text);
        int end = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            if (at >= 0 && (end < 0 || at < end)) {
                end = at;
            }
        }
        found = end >= 0;
        int safe = found ? end : held.length() - longestBeginningOfAStop();
        String result = held.substring(0, safe);
        held.delete(0, safe);
        return result;
    }

    /** Whether a stop string came. */
    boolean found() {
        return found;
    }

    /** The end of the text: what was held back, since no stop string came of it. */
    String finish() {
        String rest = found ? "" : held.toString();
        held.setLength(0);
        return rest;
    }

    private int longestBeginningOfAStop() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (stop.startsWith(held.substring(held.length() - length))) {
                    longest = length;
                    break;
                }
            }
        }
        return longest;
    }
}
