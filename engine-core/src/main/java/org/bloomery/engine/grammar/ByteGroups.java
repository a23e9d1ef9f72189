package org.bloomery.engine.grammar;

import java.util.Arrays;

/**
 * Bytes in at most 64 groups, so that a set of groups fits a {@code long}: lower-case letters, upper-case letters, digits,
 * every other printable ASCII character by itself, and the rest.
 */
final class ByteGroups {

    private static final int[] GROUP_OF = new int[256];
    private static final byte[][] BYTES;

    static {
        int groups = 5;
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
                GROUP_OF[b] = b < 0x80 ? 3 : 4;
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
