package org.bloomery.engine.format;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A second reading of the format's rules, in the plainest code: says whether the bytes of a small file are a legal GGUF
 * file, and where its fields lie. Mutants are judged by it, so it shares nothing with the reader but the list of tensor
 * types.
 */
final class GgufOracle {

    /** A field of the file: {@code width} bytes at {@code offset}. */
    record Field(String what, int offset, int width) {}

    private static final class Illegal extends Exception {

        private static final long serialVersionUID = 1;

        Illegal(String message) {
            super(message);
        }
    }

    private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, -1, -1, 8, 8, 8};

    private final ByteBuffer in;
    private final List<Field> fields = new ArrayList<>();

    private GgufOracle(byte[] file) {
        this.in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }

    static boolean isLegal(byte[] file) {
        try {
            new GgufOracle(file).file();
            return true;
        } catch (Illegal e) {
            return false;
        }
    }

    /** All fields of a legal file. */
    static List<Field> fields(byte[] file) {
        GgufOracle oracle = new GgufOracle(file);
        try {
            oracle.file();
        } catch (Illegal e) {
            throw new IllegalArgumentException(e);
        }
        return oracle.fields;
    }

    private void file() throws Illegal {
        check(integer("magic", 4).equals(BigInteger.valueOf(0x46554747)), "magic");
        int version = bounded(integer("version", 4), 3);
        check(version >= 2, "version");
        int tensorCount = bounded(integer("tensor count", 8), 65_536);
        int keyCount = bounded(integer("key count", 8), 65_536);
        Map<String, long[]> keys = new LinkedHashMap<>();
        for (int i = 0; i < keyCount; i++) {
            String key = name("key", 1, 65_535);
            int type = bounded(integer("type of " + key, 4), 12);
            boolean template = key.equals("tokenizer.chat_template") || key.startsWith("tokenizer.chat_template.");
            int at = in.position();
            if (type == 9) {
                int element = bounded(integer("element type of " + key, 4), 12);
                check(element != 9, "nested array");
                int count = bounded(integer("element count of " + key, 8), 8 << 20);
                for (int e = 0; e < count; e++) {
                    value("element " + e + " of " + key, element, 1 << 20);
                }
            } else {
                value("value of " + key, type, template ? 4 << 20 : 1 << 20);
            }
            check(keys.put(key, new long[] {type, at}) == null, "duplicate key");
        }
        long alignment = 32;
        long[] found = keys.get("general.alignment");
        if (found != null) {
            check(found[0] == 4, "alignment's type");
            alignment = Integer.toUnsignedLong(in.getInt((int) found[1]));
            check(alignment >= 8 && alignment <= 1 << 20 && Long.bitCount(alignment) == 1, "alignment");
        }
        List<BigInteger> offsets = new ArrayList<>();
        List<BigInteger> sizes = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < tensorCount; i++) {
            String name = name("tensor name", 1, 63);
            check(names.add(name), "duplicate tensor");
            int dimensions = bounded(integer("dimensions of " + name, 4), 4);
            check(dimensions >= 1, "no dimension");
            BigInteger elements = BigInteger.ONE;
            BigInteger row = BigInteger.ZERO;
            for (int d = 0; d < dimensions; d++) {
                BigInteger length = integer("dimension " + d + " of " + name, 8);
                check(length.signum() > 0 && length.bitLength() <= 63, "dimension");
                row = d == 0 ? length : row;
                elements = elements.multiply(length);
            }
            BigInteger id = integer("tensor type of " + name, 4);
            TensorType type = Arrays.stream(TensorType.values())
                    .filter(t -> BigInteger.valueOf(t.id()).equals(id))
                    .findFirst()
                    .orElseThrow(() -> new Illegal("tensor type"));
            BigInteger[] blocks = elements.divideAndRemainder(BigInteger.valueOf(type.blockSize()));
            check(row.mod(BigInteger.valueOf(type.blockSize())).signum() == 0, "row");
            sizes.add(blocks[0].multiply(BigInteger.valueOf(type.bytesPerBlock())));
            offsets.add(integer("offset of " + name, 8));
        }
        BigInteger align = BigInteger.valueOf(alignment);
        BigInteger start = padded(BigInteger.valueOf(in.position()), align);
        BigInteger next = BigInteger.ZERO;
        BigInteger end = BigInteger.valueOf(in.position());
        for (int i = 0; i < tensorCount; i++) {
            check(offsets.get(i).equals(next), "offset");
            end = start.add(next).add(sizes.get(i));
            check(end.compareTo(BigInteger.valueOf(in.limit())) <= 0, "data beyond the end");
            next = padded(next.add(sizes.get(i)), align);
        }
        check(BigInteger.valueOf(in.limit()).compareTo(padded(end, align)) <= 0, "trailing bytes");
    }

    private void value(String what, int type, int longest) throws Illegal {
        if (type == 8) {
            int length = bounded(integer("length of " + what, 8), longest);
            check(length <= in.remaining(), "string");
            in.position(in.position() + length);
        } else {
            BigInteger value = integer(what, SIZES[type]);
            check(type != 7 || value.bitLength() <= 1, "bool");
        }
    }

    private String name(String what, int least, int most) throws Illegal {
        int length = bounded(integer("length of " + what, 8), most);
        check(length >= least && length <= in.remaining(), what);
        byte[] utf8 = new byte[length];
        in.get(utf8);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new Illegal(what);
        }
    }

    private BigInteger integer(String what, int width) throws Illegal {
        check(in.remaining() >= width, what);
        fields.add(new Field(what, in.position(), width));
        byte[] bigEndian = new byte[width];
        for (int i = width - 1; i >= 0; i--) {
            bigEndian[i] = in.get();
        }
        return new BigInteger(1, bigEndian);
    }

    private static int bounded(BigInteger value, int most) throws Illegal {
        check(value.compareTo(BigInteger.valueOf(most)) <= 0, "bound");
        return value.intValueExact();
    }

    private static BigInteger padded(BigInteger value, BigInteger alignment) {
        return value.add(alignment).subtract(BigInteger.ONE).divide(alignment).multiply(alignment);
    }

    private static void check(boolean condition, String what) throws Illegal {
        if (!condition) {
            throw new Illegal(what);
        }
    }
}
