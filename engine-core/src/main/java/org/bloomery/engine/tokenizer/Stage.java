package org.bloomery.engine.tokenizer;

/**
 * One pass of a pre-tokenizer: cuts a piece of text into smaller ones. Each stage mirrors one regular expression of the
 * model's tokenizer, whose matches, and what lies between them, become pieces.
 */
@FunctionalInterface
interface Stage {

    /** Adds the ends of the pieces of {@code [from, to)}, ascending; the last one is {@code to}. */
    void cut(Text text, int from, int to, Ints ends);

    /** The matches of the first rule that fits at each place, and each stretch where none does. */
    static Stage of(Rule... rules) {
        return (text, from, to, ends) -> {
            int done = from;
            int at = from;
            while (at < to) {
                int end = -1;
                for (int i = 0; i < rules.length && end < 0; i++) {
                    end = rules[i].end(text, at, to);
                }
                if (end < 0) {
                    at++;
                    continue;
                }
                if (at > done) {
                    ends.add(at);
                }
                ends.add(end);
                at = end;
                done = end;
            }
            if (done < to) {
                ends.add(to);
            }
        };
    }

    /** {@code [^\n]+|\n+} */
    static Stage lines() {
        return (text, from, to, ends) -> {
            for (int i = from + 1; i < to; i++) {
                if ((text.codePoint(i) == '\n') != (text.codePoint(i - 1) == '\n')) {
                    ends.add(i);
                }
            }
            ends.add(to);
        };
    }

    /** {@code \s+$}: white space at the end of the piece. */
    static Stage trailingSpaces() {
        return (text, from, to, ends) -> {
            int end = to;
            while (end > from && (text.atom(end - 1) & Unicode.SPACE) != 0) {
                end--;
            }
            if (end > from && end < to) {
                ends.add(end);
            }
            ends.add(to);
        };
    }

    /** {@code (?=(\d{3})+(?!\d))}: before every three digits, counted from the right of a run of ASCII digits. */
    static Stage beforeThreeDigits() {
        return (text, from, to, ends) -> {
            int at = from;
            while (at < to) {
                int end = at;
                while (end < to && text.atom(end) == Unicode.ASCII_DIGIT) {
                    end++;
                }
                for (int cut = at + (end - at) % 3; cut < end; cut += 3) {
                    if (cut > from) {
                        ends.add(cut);
                    }
                }
                at = end + 1;
            }
            ends.add(to);
        };
    }

    /**
     * After every three digits, counted from the right of a run of digits. A run's first group stays joined to what
     * stands before it, as in the reference.
     */
    static Stage afterThreeDigits() {
        return (text, from, to, ends) -> {
            int last = from;
            int at = from;
            while (at < to) {
                int end = at;
                while (end < to && (text.atom(end) & Unicode.NUMBER) != 0) {
                    end++;
                }
                if (end > at) {
                    int first = (end - at) % 3;
                    for (int cut = at + (first == 0 ? 3 : first); cut <= end; cut += 3) {
                        ends.add(cut);
                        last = cut;
                    }
                }
                at = end + 1;
            }
            if (last < to) {
                ends.add(to);
            }
        };
    }
}
