package org.bloomery.engine.tokenizer;

import static org.bloomery.engine.tokenizer.Rule.casedWord;
import static org.bloomery.engine.tokenizer.Rule.contraction;
import static org.bloomery.engine.tokenizer.Rule.exactly;
import static org.bloomery.engine.tokenizer.Rule.newlines;
import static org.bloomery.engine.tokenizer.Rule.run;
import static org.bloomery.engine.tokenizer.Rule.spaces;
import static org.bloomery.engine.tokenizer.Rule.spacesBeforeSpace;
import static org.bloomery.engine.tokenizer.Rule.upTo;
import static org.bloomery.engine.tokenizer.Rule.withContraction;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_DIGIT;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_LOWER;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_PUNCTUATION;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_SYMBOL;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_UPPER;
import static org.bloomery.engine.tokenizer.Unicode.BLANK;
import static org.bloomery.engine.tokenizer.Unicode.LETTER;
import static org.bloomery.engine.tokenizer.Unicode.MARK;
import static org.bloomery.engine.tokenizer.Unicode.NEWLINE;
import static org.bloomery.engine.tokenizer.Unicode.NUMBER;
import static org.bloomery.engine.tokenizer.Unicode.PUNCTUATION;
import static org.bloomery.engine.tokenizer.Unicode.SLASH;
import static org.bloomery.engine.tokenizer.Unicode.SPACE;
import static org.bloomery.engine.tokenizer.Unicode.SYMBOL;

/** Character classes, rules and stages that several pre-tokenizers share. */
final class Parts {

    static final CharClass LETTERS = CharClass.of(LETTER);
    /** {@code \p{N}} */
    static final CharClass DIGITS = CharClass.of(NUMBER);

    static final CharClass SPACES = CharClass.of(SPACE);
    static final CharClass BLANK_CLASS = CharClass.of(BLANK);
    static final CharClass NEWLINES = CharClass.of(NEWLINE);
    /** {@code [^\s\p{L}\p{N}]} */
    static final CharClass OTHERS = CharClass.not(SPACE | LETTER | NUMBER);
    /** {@code [^\r\n\p{L}\p{N}]} */
    static final CharClass NO_NEWLINE_LETTER_NUMBER = CharClass.not(NEWLINE | LETTER | NUMBER);
    /** ASCII punctuation and symbols. */
    static final CharClass ASCII_MARKS = CharClass.of(ASCII_PUNCTUATION | SLASH | ASCII_SYMBOL);

    static final CharClass HAN_AND_KANA = CharClass.ranges(0, "\u3040\u309F\u30A0\u30FF\u4E00\u9FA5");
    static final CharClass CJK_AND_BEYOND = CharClass.ranges(0, "\u0800\u4E00\u4E00\u9FA5\uAC00\uD7FF");

    /** Letters with case, as deepseek-llm lists them. */
    static final String CASED_LETTERS =
            "AZaz\u00B5\u00B5\u00C0\u00D6\u00D8\u00F6\u00F8\u01BA\u01BC\u01BF\u01C4\u0293\u0295\u02AF"
                    + "\u0370\u0373\u0376\u0377\u037B\u037D\u037F\u037F\u0386\u0386\u0388\u038A\u038C\u038C\u038E\u03A1"
                    + "\u03A3\u03F5\u03F7\u0481\u048A\u052F\u0531\u0556\u10A0\u10C5\u13A0\u13F5\u13F8\u13FD\u1C90\u1CBA"
                    + "\u1CBD\u1CBF\u1D00\u1D2B\u1D6B\u1D77\u1D79\u1D9A\u1E00\u1F15\u1F18\u1F1D\u1F20\u1F45\u1F48\u1F4D"
                    + "\u1F50\u1F57\u1F59\u1F59\u1F5B\u1F5B\u1F5D\u1F5D\u1F5F\u1F7D\u1F80\u1FB4\u1FB6\u1FBC\u1FBE\u1FBE"
                    + "\u1FC2\u1FC4\u1FC6\u1FCC\u1FD0\u1FD3\u1FD6\u1FDB\u1FE0\u1FEC\u1FF2\u1FF4\u1FF6\u1FFC\u2102\u2102"
                    + "\u2107\u2107\u210A\u2113\u2115\u2115\u2119\u211D\u2124\u2124\u2126\u2126\u2128\u2128\u212A\u212D"
                    + "\u212F\u2134\u2139\u2139\u213C\u213F\u2145\u2149\u214E\u214E\u2183\u2184\u2C00\u2C7B\u2C7E\u2CE4"
                    + "\u2CEB\u2CEE\u2CF2\u2CF3\uA640\uA66D\uA680\uA69B\uA722\uA76F\uA771\uA787\uA78B\uA78E\uAB70\uABBF"
                    + "\uFB00\uFB06\uFB13\uFB17\uFF21\uFF3A\uFF41\uFF5A\uD801\uDC00\uD801\uDC4F\uD801\uDCB0\uD801\uDCD3"
                    + "\uD801\uDCD8\uD801\uDCFB\uD803\uDC80\uD803\uDCB2\uD803\uDCC0\uD803\uDCF2\uD806\uDCA0\uD806\uDCDF"
                    + "\uD83A\uDD00\uD83A\uDD43";

    static final Stage THREE_DIGITS = Stage.of(exactly(3, CharClass.of(ASCII_DIGIT)));

    static final Stage GPT2 = Stage.of(
            contraction(false),
            run(BLANK_CLASS, LETTERS),
            run(BLANK_CLASS, DIGITS),
            run(BLANK_CLASS, OTHERS),
            spacesBeforeSpace(),
            spaces());

    static final Stage LLAMA3 = words(contraction(true), upTo(3, DIGITS), NEWLINES);

    static final Stage QWEN2 = words(contraction(true), exactly(1, DIGITS), NEWLINES);

    static final Stage DEEPSEEK_WORDS = Stage.of(
            Rule.pair(ASCII_MARKS, CharClass.of(ASCII_UPPER | ASCII_LOWER)),
            run(CharClass.not(NEWLINE | LETTER | PUNCTUATION | SYMBOL), CharClass.of(LETTER | MARK)),
            run(BLANK_CLASS, CharClass.of(PUNCTUATION | SYMBOL), NEWLINES),
            newlines(),
            spacesBeforeSpace(),
            spaces());

    static final Stage BLOOM = Stage.of(run(BLANK_CLASS, CharClass.butSpaceAnd("(|.,!?…。，、।۔،)")));

    private Parts() {}

    /** The words of Llama 3 and Qwen 2, which differ in their numbers. */
    static Stage words(Rule contraction, Rule numbers, CharClass afterOthers) {
        return Stage.of(
                contraction,
                run(NO_NEWLINE_LETTER_NUMBER, LETTERS),
                numbers,
                run(BLANK_CLASS, OTHERS, afterOthers),
                newlines(),
                spacesBeforeSpace(),
                spaces());
    }

    /** The words of GPT-4o: cut where lower case turns to upper case. */
    static Stage casedWords(int letters, boolean contractions, Rule numbers) {
        return Stage.of(
                casedWord(NO_NEWLINE_LETTER_NUMBER, Rule.upperCase(letters), Rule.lowerCase(letters), contractions),
                numbers,
                run(BLANK_CLASS, OTHERS, CharClass.of(NEWLINE | SLASH)),
                newlines(),
                spacesBeforeSpace(),
                spaces());
    }

    /** The same pattern where it names Unicode cases, which the reference does not tell apart. */
    static Stage uncasedWords(Rule numbers) {
        return Stage.of(
                withContraction(run(NO_NEWLINE_LETTER_NUMBER, CharClass.of(LETTER | MARK))),
                numbers,
                run(BLANK_CLASS, OTHERS, CharClass.of(NEWLINE | SLASH)),
                newlines(),
                spacesBeforeSpace(),
                spaces());
    }
}
