package org.bloomery.engine.grammar;

import java.util.Arrays;

/**
 * Bytes in at most 64 groups, so that a set of groups fits a {@code long}: lower-case letters, upper-case letters, digits,
 * every other printable ASCII character by itself, other ASCII, characters beyond ASCII, and what is no character.
 */
final class ByteGroups {

    /** The group of bytes of characters beyond ASCII. */
    static final int BEYOND_ASCII = 4;

    /** The group of bytes that belong to no whole character. */
    static final int BROKEN = 5;

    private static final int[] GROUP_OF = new int[256];
    private static final byte[][] BYTES;

    static {
        int groups = 6;
        for (int b = 0; b < 256; b++) {
            if (b >= 'a' && b <= 'z') {
                GROUP_OF[b] = 0;
            } else if (b >= 'A' && b <= 'Z') {
                GROUP_OF[b] = 1;
            } else if (b >= '0' && b <= '9') {
                GROUP_OF[b] = 2;
            } else if (b >= ' ' && b < 0x7F) {
                GROUP_OF[b] = groups++;
            } else {
                GROUP_OF[b] = b < 0x80 ? 3 : BEYOND_ASCII;
            }
        }
        BYTES = new byte[groups][0];
        for (int b = 0; b < 256; b++) {
            byte[] old = BYTES[GROUP_OF[b]];
            BYTES[GROUP_OF[b]] = Arrays.copyOf(old, old.length + 1);
            BYTES[GROUP_OF[b]][old.length] = (byte) b;
        }
    }

    private ByteGroups() {}

    /** Number of groups. */
    static int count() {
        return BYTES.length;
    }

    /** The bytes of a group. */
    static byte[] bytes(int group) {
        return BYTES[group];
    }

    /** The set that holds only the group of a byte. */
    static long of(byte value) {
        return 1L << GROUP_OF[value & 0xFF];
    }
}
