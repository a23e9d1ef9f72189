package org.bloomery.engine.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bloomery.engine.format.Metadata;
import org.bloomery.engine.format.ModelFormatException;

/**
 * SentencePiece's precompiled normalisation ({@code tokenizer.ggml.precompiled_charsmap}): a double-array trie of UTF-8
 * prefixes, each with the text that replaces it. Layout: four bytes size of the trie, the trie as 32-bit units (base in
 * bits 10-30, shifted by 8 where bit 9 is set; leaf in bit 8; label in bits 0-7 and 31), then the replacements, each
 * ended by a zero byte; all little-endian. Immutable.
 */
final class CharacterMap {

    private static final String KEY = Vocabulary.KEY + "precompiled_charsmap";

    private final int[] units;
    private final byte[] replacements;

    private CharacterMap(int[] units, byte[] replacements) {
        this.units = units;
        this.replacements = replacements;
    }

    /** The model's map; one that changes nothing where it has none. */
    static CharacterMap read(Metadata metadata) {
        int[] values = metadata.int32s(KEY, new int[0]);
        if (values.length == 0) {
            return new CharacterMap(new int[0], new byte[0]);
        }
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) values[i];
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long trieBytes = bytes.length < 4 ? -1 : Integer.toUnsignedLong(buffer.getInt());
        if (trieBytes < 0 || trieBytes + 4 >= bytes.length || bytes[bytes.length - 1] != 0) {
            throw new ModelFormatException("'" + KEY + "' has " + bytes.length
                    + " bytes that are no trie with replacements; its size or its last byte is wrong");
        }
        int[] units = new int[(int) trieBytes / 4];
        buffer.asIntBuffer().get(units);
        byte[] replacements = new byte[bytes.length - 4 - (int) trieBytes];
        buffer.position(4 + (int) trieBytes).get(replacements);
        return new CharacterMap(units, replacements);
    }

    /**
     * Appends what replaces the longest known prefix of {@code text} at an index.
     *
     * @return bytes of that prefix, 0 where none is known
     * @throws ModelFormatException where the trie points out of itself
     */
    int replace(byte[] text, int index, ByteArrayOutputStream into) {
        if (units.length == 0) {
            return 0;
        }
        int length = 0;
        int replacement = 0;
        int node = base(0);
        for (int i = index; i < text.length && text[i] != 0; i++) {
            node ^= text[i] & 0xFF;
            if ((unit(node) & 0x800000FF) != (text[i] & 0xFF)) {
                break;
            }
            boolean leaf = (unit(node) >>> 8 & 1) == 1;
            node ^= base(node);
            if (leaf) {
                length = i - index + 1;
                replacement = unit(node) & 0x7FFFFFFF;
            }
        }
        if (length > 0) {
            if (replacement >= replacements.length) {
                throw broken();
            }
            for (int i = replacement; replacements[i] != 0; i++) {
                into.write(replacements[i]);
            }
        }
        return length;
    }

    private int base(int node) {
        int unit = unit(node);
        return (unit >>> 10) << ((unit & 1 << 9) >>> 6);
    }

    private int unit(int node) {
        if (node < 0 || node >= units.length) {
            throw broken();
        }
        return units[node];
    }

    private static ModelFormatException broken() {
        return new ModelFormatException("'" + KEY + "' points out of itself; the model file is damaged");
    }
}
