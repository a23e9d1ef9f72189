package org.bloomery.engine.tokenizer;

import static org.bloomery.engine.tokenizer.Rule.contraction;
import static org.bloomery.engine.tokenizer.Rule.exactly;
import static org.bloomery.engine.tokenizer.Rule.newlines;
import static org.bloomery.engine.tokenizer.Rule.run;
import static org.bloomery.engine.tokenizer.Rule.spaces;
import static org.bloomery.engine.tokenizer.Rule.spacesBeforeSpace;
import static org.bloomery.engine.tokenizer.Rule.upTo;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_DIGIT;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_LOWER;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_SYMBOL;
import static org.bloomery.engine.tokenizer.Unicode.ASCII_UPPER;
import static org.bloomery.engine.tokenizer.Unicode.LETTER;
import static org.bloomery.engine.tokenizer.Unicode.MARK;
import static org.bloomery.engine.tokenizer.Unicode.NEWLINE;
import static org.bloomery.engine.tokenizer.Unicode.NUMBER;
import static org.bloomery.engine.tokenizer.Unicode.PUNCTUATION;
import static org.bloomery.engine.tokenizer.Unicode.SLASH;
import static org.bloomery.engine.tokenizer.Unicode.SPACE;
import static org.bloomery.engine.tokenizer.Unicode.SYMBOL;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a byte-pair vocabulary cuts text into words before it merges, by the name in {@code tokenizer.ggml.pre}. Mirrors
 * the patterns of llama.cpp's {@code llm_tokenizer_bpe}, without a regular-expression engine: a name is a few stages, a
 * stage a few rules, and every rule is linear.
 */
@SuppressWarnings("ImmutableEnumChecker") // its rules are lambdas without state, and nothing writes its array
enum PreTokenizer {
    DEFAULT(
            "default",
            Stage.of(run(CharClass.ranges(PUNCTUATION, "$$++<<==>>^^||~~"))),
            Parts.GPT2,
            Stage.of(run(Parts.DIGITS)),
            Parts.THREE_DIGITS),
    LLAMA3("llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", Parts.LLAMA3) {
        @Override
        boolean ignoresMerges() {
            return true;
        }

        @Override
        boolean addsBos() {
            return true;
        }
    },
    /** As {@link #LLAMA3}, without its defaults. */
    DBRX("dbrx smaug-bpe chatglm-bpe glm4", Parts.LLAMA3),
    JAIS2(
            "jais-2",
            Stage.of(
                    contraction(true),
                    run(Parts.NO_NEWLINE_LETTER_NUMBER, Parts.LETTERS),
                    upTo(3, Parts.DIGITS),
                    run(Parts.BLANK_CLASS, Parts.OTHERS, Parts.NEWLINES),
                    newlines(),
                    spacesBeforeSpace(512),
                    spacesBeforeSpace(256),
                    spacesBeforeSpace(128),
                    spacesBeforeSpace(64),
                    spacesBeforeSpace(32),
                    spacesBeforeSpace(16),
                    spacesBeforeSpace(8),
                    spacesBeforeSpace(4),
                    spacesBeforeSpace(2),
                    spacesBeforeSpace(1),
                    exactly(1, Parts.SPACES))),
    MINICPM5(
            "minicpm5",
            Stage.of(upTo(3, Parts.DIGITS)),
            Parts.words(contraction(true), run(Parts.DIGITS), Parts.NEWLINES)) {
        @Override
        boolean ignoresMerges() {
            return true;
        }
    },
    QWEN2("qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 megrez hunyuan solar-open grok-2", Parts.QWEN2),
    QWEN35(
            "qwen35",
            Stage.of(
                    contraction(true),
                    run(Parts.NO_NEWLINE_LETTER_NUMBER, CharClass.of(LETTER | MARK)),
                    exactly(1, Parts.DIGITS),
                    run(Parts.BLANK_CLASS, CharClass.not(SPACE | LETTER | MARK | NUMBER), Parts.NEWLINES),
                    newlines(),
                    spacesBeforeSpace(),
                    spaces())),
    UFAKZEKA(
            "ufakzeka",
            Stage.of(
                    run(Parts.NO_NEWLINE_LETTER_NUMBER, Parts.LETTERS),
                    exactly(1, Parts.DIGITS),
                    run(Parts.BLANK_CLASS, Parts.OTHERS, Parts.NEWLINES),
                    newlines(),
                    spacesBeforeSpace(),
                    spaces())),
    LAGUNA("laguna", Stage.lines(), Parts.QWEN2),
    /** Its last newline rule takes one newline where others take several; after the spaces before it that is the same. */
    BAILINGMOE(
            "bailingmoe bailingmoe2 llada-moe",
            Parts.words(contraction(true), exactly(1, Parts.DIGITS), Parts.NEWLINES)),
    SEED_CODER(
            "seed-coder",
            Stage.of(
                    contraction(true),
                    run(Parts.NO_NEWLINE_LETTER_NUMBER, Parts.LETTERS),
                    exactly(1, Parts.DIGITS),
                    run(Parts.BLANK_CLASS, Parts.OTHERS),
                    newlines(),
                    spacesBeforeSpace(),
                    spaces())),
    EXAONE_MOE(
            "exaone-moe",
            Stage.of(
                    contraction(true),
                    Rule.phrase(Parts.NO_NEWLINE_LETTER_NUMBER),
                    exactly(1, Parts.DIGITS),
                    Rule.optionalOne(run(Parts.BLANK_CLASS, Parts.OTHERS), CharClass.of(NEWLINE | SLASH)),
                    newlines(),
                    spacesBeforeSpace(),
                    spaces())),
    GPT2(
            "gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert exaone4 mpt olmo jais"
                    + " trillion granite-docling",
            Parts.GPT2),
    GPT2_SEPARATED("jina-v1-en jina-v2-code roberta-bpe", Parts.GPT2) {
        @Override
        boolean addsSeparator() {
            return true;
        }
    },
    STARCODER(
            "starcoder refact command-r smollm codeshell exaone minerva-7b mellum2",
            Stage.of(exactly(1, Parts.DIGITS)),
            Parts.GPT2),
    FALCON(
            "falcon",
            Stage.of(run(CharClass.ranges(PUNCTUATION, "$$++<<==>>^^``||~~"))),
            Parts.GPT2,
            Parts.THREE_DIGITS),
    DEEPSEEK_LLM(
            "deepseek-llm",
            Stage.of(exactly(1, Parts.NEWLINES)),
            Stage.of(run(Parts.SPACES, CharClass.ranges(0, Parts.CASED_LETTERS))),
            Stage.of(run(Parts.SPACES, CharClass.ranges(0, "!/:~‘‟\u3000\u3002！／：～"))),
            Stage.trailingSpaces(),
            Stage.of(run(Parts.CJK_AND_BEYOND)),
            Stage.of(run(Parts.DIGITS))),
    DEEPSEEK_CODER(
            "deepseek-coder",
            Stage.of(exactly(1, Parts.NEWLINES)),
            Stage.of(run(Parts.SPACES, Parts.LETTERS)),
            Stage.of(run(Parts.SPACES, CharClass.of(PUNCTUATION))),
            Stage.of(run(Parts.CJK_AND_BEYOND)),
            Stage.of(exactly(1, Parts.DIGITS))),
    DEEPSEEK_V3(
            "deepseek-v3 hunyuan-dense hy_v4 joyai-llm",
            Stage.of(upTo(3, Parts.DIGITS)),
            Stage.of(run(Parts.HAN_AND_KANA)),
            Parts.DEEPSEEK_WORDS),
    SPARK2_5(
            "spark2_5",
            Stage.of(upTo(3, Parts.DIGITS)),
            Stage.of(run(Parts.HAN_AND_KANA)),
            Stage.of(
                    Rule.pair(Parts.ASCII_MARKS, CharClass.of(ASCII_UPPER | ASCII_LOWER)),
                    run(CharClass.not(NEWLINE | LETTER | PUNCTUATION | SYMBOL), CharClass.of(LETTER | MARK)),
                    run(Parts.BLANK_CLASS, CharClass.of(PUNCTUATION | SYMBOL)),
                    exactly(1, Parts.NEWLINES),
                    spacesBeforeSpace(),
                    spaces()),
            Stage.of(exactly(1, Parts.DIGITS))),
    AFMOE(
            "afmoe",
            Stage.afterThreeDigits(),
            Stage.of(run(CharClass.ranges(
                    0,
                    "\u0E40\u0E7F\u0E80\u0EFF\u1000\u109F\u1100\u11FF\u1780\u17FF\u2F00\u2FDF"
                            + "\u3040\u309F\u30A0\u30FF\u3400\u4DBF\u4E00\uFAFF\uFF65\uFF9F"))),
            Parts.DEEPSEEK_WORDS),
    YOUTU(
            "youtu",
            Stage.of(
                    run(CharClass.ranges(0, "ㄱㆎ가힣")),
                    run(CharClass.ranges(0, "——‘’“”……、〿︰﹏！！，，：；")),
                    run(CharClass.ranges(0, "ㄅㄯ")),
                    run(Parts.HAN_AND_KANA)),
            Parts.uncasedWords(exactly(1, Parts.DIGITS))) {
        @Override
        boolean ignoresMerges() {
            return true;
        }
    },
    TINY_AYA("tiny_aya cohere2moe", Stage.afterThreeDigits(), Parts.uncasedWords(upTo(3, Parts.DIGITS))),
    TEKKEN("tekken", Parts.casedWords(LETTER, false, exactly(1, Parts.DIGITS))) {
        @Override
        boolean ignoresMerges() {
            return true;
        }

        @Override
        boolean addsBos() {
            return true;
        }
    },
    GPT4O("gpt-4o llama4 kanana2 talkie minimax-m2", Parts.casedWords(LETTER, true, upTo(3, Parts.DIGITS))),
    GRANITE_EMBED("granite-embed-multi-97m", Parts.casedWords(LETTER | MARK, true, upTo(3, Parts.DIGITS))) {
        @Override
        boolean ignoresMerges() {
            return true;
        }
    },
    KIMI_K2(
            "kimi-k2",
            Stage.of(
                    Rule.hanRun(),
                    Rule.wordWithoutHan(CharClass.not(NEWLINE | LETTER | NUMBER)),
                    upTo(3, Parts.DIGITS),
                    run(Parts.BLANK_CLASS, Parts.OTHERS, Parts.NEWLINES),
                    newlines(),
                    spacesBeforeSpace(),
                    spaces())),
    SUPERBPE("superbpe", Stage.of(run(Parts.DIGITS)), Stage.beforeThreeDigits()),
    BLOOM("bloom gpt3-finnish poro-chat", Parts.BLOOM),
    VIKING("viking", Parts.BLOOM, Stage.of(exactly(1, Parts.DIGITS))),
    CHAMELEON(
            "chameleon",
            Stage.of(Rule.literal("<sentinel:")
                    .then(run(CharClass.of(ASCII_DIGIT)))
                    .then(Rule.literal(">"))),
            Stage.of(Rule.literal("IMGIMG")
                    .then(upTo(4, CharClass.ranges(0, "AI")))
                    .then(Rule.literal("Z"))),
            Stage.of(
                    exactly(1, CharClass.ranges(0, "\t\n")),
                    exactly(4, Parts.BLANK_CLASS),
                    exactly(2, Parts.BLANK_CLASS)),
            Stage.of(exactly(1, Parts.DIGITS)),
            Stage.of(exactly(1, CharClass.of(PUNCTUATION | ASCII_SYMBOL))),
            Parts.GPT2) {
        @Override
        boolean addsBos() {
            return true;
        }
    },
    GEMMA4("gemma4 granite-embed-multi-311m", Stage.lines()) {
        @Override
        boolean writesBytesAsCharacters() {
            return false;
        }

        @Override
        boolean addsBosAlways() {
            return true;
        }

        @Override
        boolean takesNewlinesWhole() {
            return true;
        }
    },
    SARVAM_MOE("sarvam-moe", Stage.lines()) {
        @Override
        boolean writesBytesAsCharacters() {
            return false;
        }
    };

    private final List<String> names;
    private final Stage[] stages;

    PreTokenizer(String names, Stage... stages) {
        this.names = List.of(names.split(" "));
        this.stages = stages;
    }

    /** The one with this name in {@code tokenizer.ggml.pre}, or null. */
    static @Nullable PreTokenizer named(String name) {
        return Arrays.stream(values())
                .filter(it -> it.names.contains(name))
                .findFirst()
                .orElse(null);
    }

    /** All names, sorted. */
    static List<String> names() {
        return Arrays.stream(values()).flatMap(it -> it.names.stream()).sorted().toList();
    }

    /** The ends of the words of {@code [from, to)}, ascending. */
    Ints words(Text text, int from, int to) {
        Ints ends = new Ints();
        ends.add(to);
        for (Stage stage : stages) {
            Ints finer = new Ints();
            int start = from;
            for (int i = 0; i < ends.size(); i++) {
                stage.cut(text, start, ends.get(i), finer);
                start = ends.get(i);
            }
            ends = finer;
        }
        return ends;
    }

    /** Whether a word that is a token as a whole is taken without merging. */
    boolean ignoresMerges() {
        return false;
    }

    /** Whether the begin token is added where the metadata does not say. */
    boolean addsBos() {
        return false;
    }

    /** Whether the begin token is added whatever the metadata says. */
    boolean addsBosAlways() {
        return false;
    }

    /** Whether the separator token is asked for where the metadata does not say. */
    boolean addsSeparator() {
        return false;
    }

    /** Whether a run of newlines that is a token is taken without merging. */
    boolean takesNewlinesWhole() {
        return false;
    }

    /** Whether tokens spell bytes as GPT-2's 256 characters; otherwise as UTF-8 with ▁ for blank. */
    boolean writesBytesAsCharacters() {
        return true;
    }
}
