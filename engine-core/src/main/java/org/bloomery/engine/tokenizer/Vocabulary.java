package org.bloomery.engine.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.bloomery.engine.format.Metadata;
import org.bloomery.engine.format.ModelFormatException;

/**
 * The tokens of a model: spellings, kinds, and the ids with a role. Read from the {@code tokenizer.ggml.*} keys with
 * the defaults and corrections of llama.cpp's {@code llama_vocab::load}. Immutable.
 */
final class Vocabulary {

    static final int UNKNOWN = 1;
    static final int CONTROL = 1 << 1;
    static final int USER_DEFINED = 1 << 2;
    static final int UNUSED = 1 << 3;
    static final int BYTE = 1 << 4;
    static final int NORMAL = 1 << 5;
    /** White space before the token goes with it when it is recognised in text. */
    static final int STRIPS_LEFT = 1 << 6;
    /** White space after the token goes with it. */
    static final int STRIPS_RIGHT = 1 << 7;
    /** Recognised in trusted text only. */
    static final int TRUSTED_ONLY = 1 << 8;
    /** Ends the answer. */
    static final int ENDS_GENERATION = 1 << 9;

    static final String KEY = "tokenizer.ggml.";

    /** Kinds by their number in {@code tokenizer.ggml.token_type}; 0 is "undefined". */
    private static final int[] KINDS = {
        0, NORMAL, UNKNOWN | TRUSTED_ONLY, CONTROL | TRUSTED_ONLY, USER_DEFINED, UNUSED, BYTE
    };

    private static final List<String> FIM_PREFIX = List.of(
            "<|fim_prefix|>",
            "<fim-prefix>",
            "<fim_prefix>",
            "<｜fim▁begin｜>",
            "<PRE>",
            "▁<PRE>",
            "<|code_prefix|>",
            "<|prefix|>");
    private static final List<String> FIM_SUFFIX = List.of(
            "<|fim_suffix|>",
            "<fim-suffix>",
            "<fim_suffix>",
            "<｜fim▁hole｜>",
            "<SUF>",
            "▁<SUF>",
            "<|code_suffix|>",
            "<|suffix|>");
    private static final List<String> FIM_MIDDLE = List.of(
            "<|fim_middle|>",
            "<fim-middle>",
            "<fim_middle>",
            "<｜fim▁end｜>",
            "<MID>",
            "▁<MID>",
            "<|code_middle|>",
            "<|middle|>");
    private static final List<String> FIM_PAD = List.of("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]");
    private static final List<String> FIM_REPOSITORY =
            List.of("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>");
    private static final List<String> FIM_FILE = List.of("<|file_sep|>");

    private static final List<String> ENDS = List.of(
            "<|eot_id|>",
            "<|im_end|>",
            "<|end|>",
            "<|return|>",
            "<|call|>",
            "<|flush|>",
            "<|calls|>",
            "<end_of_turn>",
            "<|endoftext|>",
            "</s>",
            "<|eom_id|>",
            "<EOT>",
            "_<EOT>",
            "[EOT]",
            "[EOS]",
            "<|end_of_text|>",
            "<end_of_utterance>",
            "<eos>",
            "<turn|>",
            "<|tool_response>",
            "<｜end▁of▁sentence｜>",
            "[e~[");

    /** Control tokens that structure an answer, which its reader must see. */
    private static final Set<String> RENDERED = Set.of("<|channel|>", "<|message|>", "<|start|>", "<|constrain|>");

    private final List<String> spellings;
    private final SpellingIndex index;
    private final short[] attributes;
    private final int bos;
    private final int eos;
    private final int unknown;
    private final int separator;

    /** What each vocabulary type presumes where the metadata is silent; -1 for none. */
    record Defaults(int bos, int eos, int unknown, int separator) {}

    private Vocabulary(
            List<String> spellings,
            SpellingIndex index,
            short[] attributes,
            int bos,
            int eos,
            int unknown,
            int separator) {
        this.spellings = spellings;
        this.index = index;
        this.attributes = attributes;
        this.bos = bos;
        this.eos = eos;
        this.unknown = unknown;
        this.separator = separator;
    }

    /** @throws ModelFormatException naming the key that is missing, of the wrong type or length, or out of range */
    static Vocabulary read(Metadata metadata, Defaults defaults) {
        List<String> spellings = named(metadata.strings(KEY + "tokens"));
        int size = spellings.size();
        if (size == 0) {
            throw new ModelFormatException("'" + KEY + "tokens' is empty; a vocabulary needs at least one token");
        }
        Ints duplicates = new Ints();
        SpellingIndex index = SpellingIndex.of(spellings, duplicates);
        if (duplicates.size() > 0) {
            throw new ModelFormatException("'" + KEY + "tokens' holds token " + duplicates.get(0)
                    + " a second time; every spelling must have one id");
        }
        short[] attributes = kinds(metadata, size);

        int bos = role(metadata, "bos_token_id", defaults.bos(), size);
        int eos = role(metadata, "eos_token_id", defaults.eos(), size);
        int unknown = role(metadata, "unknown_token_id", defaults.unknown(), size);
        int separator = role(metadata, "seperator_token_id", defaults.separator(), size);
        Vocabulary vocabulary = new Vocabulary(spellings, index, attributes, bos, eos, unknown, separator);
        vocabulary.findRoles(metadata);
        vocabulary.findStrips(metadata);
        return vocabulary;
    }

    private static List<String> named(List<String> spellings) {
        if (!spellings.contains("")) {
            return spellings;
        }
        List<String> named = new ArrayList<>(spellings);
        for (int id = 0; id < named.size(); id++) {
            if (named.get(id).isEmpty()) {
                named.set(id, "[EMPTY_" + id + "]");
            }
        }
        return named;
    }

    private static short[] kinds(Metadata metadata, int size) {
        short[] attributes = new short[size];
        String key = KEY + "token_type";
        if (!metadata.contains(key)) {
            Arrays.fill(attributes, (short) NORMAL);
            return attributes;
        }
        int[] kinds = metadata.int32s(key);
        if (kinds.length != size) {
            throw new ModelFormatException(
                    "'" + key + "' has " + kinds.length + " elements; '" + KEY + "tokens' has " + size);
        }
        for (int id = 0; id < size; id++) {
            if (kinds[id] < 0 || kinds[id] >= KINDS.length) {
                throw new ModelFormatException("'" + key + "' gives token " + id + " type " + kinds[id]
                        + "; known types are 0 to " + (KINDS.length - 1));
            }
            attributes[id] = (short) KINDS[kinds[id]];
        }
        return attributes;
    }

    private static int role(Metadata metadata, String name, int fallback, int size) {
        if (!metadata.contains(KEY + name)) {
            return fallback < size ? fallback : -1;
        }
        long id = metadata.int64(KEY + name);
        if (id < 0 || id >= size) {
            throw new ModelFormatException(
                    "'" + KEY + name + "' is " + id + "; the vocabulary has ids 0 to " + (size - 1));
        }
        return (int) id;
    }

    /** The ends of generation, and control tokens that the file forgot to mark, by well-known spellings. */
    private void findRoles(Metadata metadata) {
        fim(metadata, FIM_PREFIX, false, "fim_pre_token_id", "prefix_token_id");
        fim(metadata, FIM_SUFFIX, false, "fim_suf_token_id", "suffix_token_id");
        fim(metadata, FIM_MIDDLE, false, "fim_mid_token_id", "middle_token_id");
        fim(metadata, FIM_PAD, true, "fim_pad_token_id");
        fim(metadata, FIM_REPOSITORY, true, "fim_rep_token_id");
        fim(metadata, FIM_FILE, true, "fim_sep_token_id");
        for (String spelling : ENDS) {
            int id = index.find(spelling);
            if (id >= 0) {
                attributes[id] |= CONTROL | TRUSTED_ONLY | ENDS_GENERATION;
            }
        }
        for (String spelling : RENDERED) {
            int id = index.find(spelling);
            if (id >= 0) {
                // Shown in the answer; whether text may hold it stays as the file says.
                attributes[id] = (short) ((attributes[id] & TRUSTED_ONLY) | USER_DEFINED);
            }
        }
        ends(eos);
        ends(role(metadata, "eot_token_id", -1, attributes.length));
        ends(role(metadata, "eom_token_id", -1, attributes.length));

        // Harmony and solar-open: <|end|> closes a message, others close the answer.
        boolean called = endsWith("<|call|>") || endsWith("<|calls|>");
        if (called && (endsWith("<|return|>") || endsWith("<|flush|>")) && endsWith("<|end|>")) {
            int id = index.find("<|end|>");
            attributes[id] = (short) ((attributes[id] & TRUSTED_ONLY) | USER_DEFINED);
        }
        if (endsWith("<|tool_response>") && endsWith("</s>")) {
            attributes[index.find("</s>")] = NORMAL;
        }
        // The unknown token stands for text, so it is no control token, however the file marks it; unless it has
        // another role besides.
        if (unknown >= 0
                && unknown != bos
                && unknown != eos
                && unknown != separator
                && is(unknown, CONTROL)
                && !is(unknown, ENDS_GENERATION)) {
            attributes[unknown] = (short) (UNKNOWN | TRUSTED_ONLY);
        }
    }

    private void fim(Metadata metadata, List<String> known, boolean ends, String... keys) {
        int id = -1;
        for (String key : keys) {
            id = Math.max(id, role(metadata, key, -1, attributes.length));
        }
        for (String spelling : known) {
            if (id < 0) {
                id = index.find(spelling);
                if (id >= 0) {
                    attributes[id] |= CONTROL | TRUSTED_ONLY;
                }
            }
        }
        if (ends) {
            ends(id);
        }
    }

    private void ends(int id) {
        if (id >= 0) {
            attributes[id] |= ENDS_GENERATION;
        }
    }

    private boolean endsWith(String spelling) {
        int id = index.find(spelling);
        return id >= 0 && is(id, ENDS_GENERATION);
    }

    /** Which tokens swallow white space; files do not say, so llama.cpp goes by the model's name. */
    private void findStrips(Metadata metadata) {
        String pre = metadata.string(KEY + "pre", "");
        String architecture = metadata.string("general.architecture", "");
        String name = metadata.string("general.name", "").toLowerCase(Locale.ROOT);
        if (pre.contains("jina-v2-de")
                || pre.contains("jina-v2-es")
                || pre.contains("jina-v2-code")
                || architecture.contains("nomic-bert-moe")
                || architecture.contains("jina-bert-v3")) {
            mark("<mask>", STRIPS_LEFT);
        } else if (name.contains("phi-3") || name.contains("phi3")) {
            for (int id = 0; id < attributes.length; id++) {
                if (isSpecial(id)) {
                    attributes[id] |= STRIPS_RIGHT;
                }
            }
            mark("</s>", STRIPS_RIGHT);
            for (String spelling : List.of("<unk>", "<s>", "<|endoftext|>")) {
                int id = index.find(spelling);
                if (id >= 0) {
                    attributes[id] &= ~STRIPS_RIGHT;
                }
            }
        } else if (name.contains("modern-bert")) {
            mark("[MASK]", STRIPS_LEFT);
        }
    }

    private void mark(String spelling, int attribute) {
        int id = index.find(spelling);
        if (id >= 0) {
            attributes[id] |= (short) attribute;
        }
    }

    int size() {
        return attributes.length;
    }

    String spelling(int id) {
        return spellings.get(id);
    }

    SpellingIndex index() {
        return index;
    }

    boolean is(int id, int attribute) {
        return (attributes[id] & attribute) != 0;
    }

    /** Whether the token is searched for in text before anything else. */
    boolean isSpecial(int id) {
        return is(id, CONTROL | USER_DEFINED | UNKNOWN);
    }

    /** Whether ordinary text may become this token. */
    boolean isOrdinary(int id) {
        return !is(id, CONTROL | UNKNOWN | TRUSTED_ONLY);
    }

    /** The id of an ordinary token with the spelling {@code [from, to)} of a text, or -1. */
    int ordinary(CharSequence text, int from, int to) {
        int id = index.find(text, from, to);
        return id >= 0 && isOrdinary(id) ? id : -1;
    }

    int bos() {
        return bos;
    }

    int eos() {
        return eos;
    }

    int unknown() {
        return unknown;
    }

    int separator() {
        return separator;
    }

    /** The byte that a byte token such as {@code <0x0A>} stands for; -1 where its spelling is none. */
    int byteOf(int id) {
        String spelling = spelling(id);
        if (spelling.length() != 6 || !spelling.startsWith("<0x") || spelling.charAt(5) != '>') {
            return -1;
        }
        int high = Character.digit(spelling.charAt(3), 16);
        int low = Character.digit(spelling.charAt(4), 16);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    /** The ids of the byte tokens {@code <0x00>} to {@code <0xFF>}, each -1 where there is none. */
    int[] byteTokens() {
        int[] ids = new int[256];
        for (int value = 0; value < 256; value++) {
            ids[value] = index.find(String.format(Locale.ROOT, "<0x%02X>", value));
            if (ids[value] >= 0 && !isOrdinary(ids[value])) {
                ids[value] = -1;
            }
        }
        return ids;
    }

    /** The bytes of a token whose spelling is text with ▁ for a blank, of a byte token, or of one rendered as spelt. */
    byte[] plainBytes(int id) {
        if (is(id, BYTE)) {
            int value = byteOf(id);
            return value < 0 ? new byte[0] : new byte[] {(byte) value};
        }
        if (is(id, USER_DEFINED)) {
            return spelling(id).getBytes(StandardCharsets.UTF_8);
        }
        return is(id, NORMAL) ? spelling(id).replace('▁', ' ').getBytes(StandardCharsets.UTF_8) : new byte[0];
    }
}
