package org.bloomery.engine.tokenizer;

/**
 * Symbols of single characters, as a two-level table over all code points: the token a character is, or a number above
 * all tokens for a character that only occurs inside tokens.
 */
final class CharacterSymbols {

    private static final int PAGE = 256;
    private static final int EMPTY_PAGE = 0;

    /** Where the page of each 256 code points begins in the symbols. */
    private final int[] pages = new int[0x110000 / PAGE];

    private final Ints symbols = new Ints();
    private final Ints lengths = new Ints();

    /** Knows every character of every ordinary token. */
    CharacterSymbols(Vocabulary vocabulary) {
        addPage(); // the empty one
        for (int id = 0; id < vocabulary.size(); id++) {
            String spelling = vocabulary.spelling(id);
            lengths.add(spelling.codePointCount(0, spelling.length()));
        }
        for (int id = 0; id < vocabulary.size(); id++) {
            String spelling = vocabulary.spelling(id);
            if (lengths.get(id) == 1 && vocabulary.isOrdinary(id)) {
                put(spelling.codePointAt(0), id);
            }
        }
        for (int id = 0; id < vocabulary.size(); id++) {
            String spelling = vocabulary.spelling(id);
            if (lengths.get(id) > 1 && vocabulary.isOrdinary(id) && !vocabulary.is(id, Vocabulary.BYTE)) {
                spelling.codePoints().filter(c -> symbol(c) < 0).forEach(c -> {
                    put(c, lengths.size());
                    lengths.add(1);
                });
            }
        }
    }

    private int addPage() {
        int page = symbols.size();
        for (int i = 0; i < PAGE; i++) {
            symbols.add(Merges.UNKNOWN);
        }
        return page;
    }

    private void put(int codePoint, int symbol) {
        int index = codePoint / PAGE;
        if (pages[index] == EMPTY_PAGE) {
            pages[index] = addPage();
        }
        symbols.set(pages[index] + codePoint % PAGE, symbol);
    }

    /** The symbol of a character, or {@link Merges#UNKNOWN}. */
    int symbol(int codePoint) {
        return symbols.get(pages[codePoint / PAGE] + codePoint % PAGE);
    }

    /** Length in code points of each symbol, tokens first. */
    int[] lengths() {
        return lengths.toArray();
    }
}
