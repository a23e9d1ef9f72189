package org.bloomery.javaengine.kernel.machine;

/**
 * The vector instructions that the assembler knows, under the names of Intel's Software Developer's Manual, volume 2,
 * with what its tables say of their encoding.
 */
enum Instruction {
    // moves
    VMOVUPS("0F W0 10", Encoding.BOTH, Memory.FULL),
    VMOVUPS_STORE("0F W0 11", Encoding.BOTH, Memory.FULL),
    VMOVD_TO_GENERAL("66 0F W0 7E", Encoding.VEX, Memory.FULL),
    VMOVD("66 0F W0 6E", Encoding.VEX, Memory.FULL),
    VBROADCASTSS("66 0F38 W0 18", Encoding.BOTH, Memory.ELEMENT_4),
    VPBROADCASTW("66 0F38 W0 79", Encoding.BOTH, Memory.ELEMENT_2),
    VPBROADCASTD("66 0F38 W0 58", Encoding.BOTH, Memory.ELEMENT_4),
    VBROADCASTI32X4("66 0F38 W0 5A", Encoding.EVEX, Memory.BYTES_16),
    VBROADCASTI64X4("66 0F38 W1 5B", Encoding.EVEX, Memory.BYTES_32),
    VINSERTI128("66 0F3A W0 38", Encoding.VEX, Memory.BYTES_16),
    VINSERTI64X4("66 0F3A W1 3A", Encoding.EVEX, Memory.BYTES_32),
    VEXTRACTI128("66 0F3A W0 39", Encoding.VEX, Memory.BYTES_16),
    VEXTRACTI64X4("66 0F3A W1 3B", Encoding.EVEX, Memory.BYTES_32),

    // shuffles
    VPUNPCKLDQ("66 0F W0 62", Encoding.BOTH, Memory.FULL),
    VPUNPCKHDQ("66 0F W0 6A", Encoding.BOTH, Memory.FULL),
    VPUNPCKLQDQ("66 0F W1 6C", Encoding.BOTH, Memory.FULL),
    VPUNPCKHQDQ("66 0F W1 6D", Encoding.BOTH, Memory.FULL),
    VSHUFI32X4("66 0F3A W0 43", Encoding.EVEX, Memory.FULL),
    VPERM2I128("66 0F3A W0 46", Encoding.VEX, Memory.FULL),
    VPSHUFD("66 0F W0 70", Encoding.BOTH, Memory.FULL),
    VPMOVDW("F3 0F38 W0 33", Encoding.EVEX, Memory.HALF),
    VPMOVZXBD("66 0F38 W0 31", Encoding.BOTH, Memory.QUARTER),
    VPMOVSXBD("66 0F38 W0 21", Encoding.BOTH, Memory.QUARTER),
    VPSHUFB("66 0F38 W0 00", Encoding.BOTH, Memory.FULL),
    VPMOVZXWD("66 0F38 W0 33", Encoding.BOTH, Memory.HALF),

    // integers
    VPAND("66 0F W0 DB", Encoding.VEX, Memory.FULL),
    VPOR("66 0F W0 EB", Encoding.VEX, Memory.FULL),
    VPXOR("66 0F W0 EF", Encoding.VEX, Memory.FULL),
    VPANDD("66 0F W0 DB", Encoding.EVEX, Memory.FULL),
    VPORD("66 0F W0 EB", Encoding.EVEX, Memory.FULL),
    VPXORD("66 0F W0 EF", Encoding.EVEX, Memory.FULL),
    VPTERNLOGD("66 0F3A W0 25", Encoding.EVEX, Memory.FULL),
    VPACKSSDW("66 0F W0 6B", Encoding.BOTH, Memory.FULL),
    VPACKSSWB("66 0F W0 63", Encoding.BOTH, Memory.FULL),
    VPCMPEQB("66 0F W0 74", Encoding.VEX, Memory.FULL),
    VPADDD("66 0F W0 FE", Encoding.BOTH, Memory.FULL),
    VPSUBB("66 0F W0 F8", Encoding.BOTH, Memory.FULL),
    VPSUBD("66 0F W0 FA", Encoding.BOTH, Memory.FULL),
    VPMULLD("66 0F38 W0 40", Encoding.BOTH, Memory.FULL),
    VPMAXUD("66 0F38 W0 3F", Encoding.BOTH, Memory.FULL),
    VPHADDD("66 0F38 W0 02", Encoding.VEX, Memory.FULL),
    VPABSB("66 0F38 W0 1C", Encoding.BOTH, Memory.FULL),
    VPSIGNB("66 0F38 W0 08", Encoding.VEX, Memory.FULL),
    VPSRLD("66 0F W0 72 /2", Encoding.BOTH, Memory.FULL),
    VPSRAD("66 0F W0 72 /4", Encoding.BOTH, Memory.FULL),
    VPSLLD("66 0F W0 72 /6", Encoding.BOTH, Memory.FULL),
    VPMADDUBSW("66 0F38 W0 04", Encoding.BOTH, Memory.FULL),
    VPMADDWD("66 0F W0 F5", Encoding.BOTH, Memory.FULL),
    VPDPBUSD("66 0F38 W0 50", Encoding.BOTH, Memory.FULL),

    // floats
    VADDPS("0F W0 58", Encoding.BOTH, Memory.FULL),
    VDIVPS("0F W0 5E", Encoding.BOTH, Memory.FULL),
    VMINPS("0F W0 5D", Encoding.BOTH, Memory.FULL),
    VMAXPS("0F W0 5F", Encoding.BOTH, Memory.FULL),
    VCMPPS("0F W0 C2", Encoding.VEX, Memory.FULL),
    VMULPS("0F W0 59", Encoding.BOTH, Memory.FULL),
    VFMADD231PS("66 0F38 W0 B8", Encoding.BOTH, Memory.FULL),
    VFNMADD231PS("66 0F38 W0 BC", Encoding.BOTH, Memory.FULL),
    VHADDPS("F2 0F W0 7C", Encoding.VEX, Memory.FULL),
    VCVTDQ2PS("0F W0 5B", Encoding.BOTH, Memory.FULL),
    VCVTPS2DQ("66 0F W0 5B", Encoding.BOTH, Memory.FULL),
    VCVTPH2PS("66 0F38 W0 13", Encoding.BOTH, Memory.HALF),

    // brain floats
    VCVTNE2PS2BF16("F2 0F38 W0 72", Encoding.EVEX, Memory.FULL),
    VDPBF16PS("F3 0F38 W0 52", Encoding.EVEX, Memory.FULL);

    /** Which prefixes an instruction has; with both, VEX is taken where it can say all. */
    enum Encoding {
        VEX,
        EVEX,
        BOTH
    }

    /** How many bytes a memory operand has, which is also the unit of EVEX's 8-bit displacement. */
    enum Memory {
        FULL,
        HALF,
        QUARTER,
        ELEMENT_2,
        ELEMENT_4,
        BYTES_16,
        BYTES_32;

        int bytes(int vectorBits) {
            return switch (this) {
                case FULL -> vectorBits / 8;
                case HALF -> vectorBits / 16;
                case QUARTER -> vectorBits / 32;
                case ELEMENT_2 -> 2;
                case ELEMENT_4 -> 4;
                case BYTES_16 -> 16;
                case BYTES_32 -> 32;
            };
        }
    }

    /** The mandatory prefix's two bits: none, 66, F3, F2. */
    final int prefix;

    /** The opcode map: 1 for 0F, 2 for 0F38, 3 for 0F3A. */
    final int map;

    final int wide;
    final int opcode;

    /** The part of the opcode in ModRM's middle field, as in {@code 72 /2}, or -1. */
    final int extension;

    final Encoding encoding;
    final Memory memory;

    /** @param code as in the manual: prefix, map, W, opcode and its extension */
    Instruction(String code, Encoding encoding, Memory memory) {
        String[] parts = code.split(" ", -1);
        int i = 0;
        prefix = switch (parts[0]) {
            case "66" -> 1;
            case "F3" -> 2;
            case "F2" -> 3;
            default -> 0;
        };
        i += prefix == 0 ? 0 : 1;
        map = switch (parts[i]) {
            case "0F" -> 1;
            case "0F38" -> 2;
            case "0F3A" -> 3;
            default -> throw new IllegalArgumentException("There is no opcode map " + parts[i]);
        };
        wide = parts[i + 1].equals("W1") ? 1 : 0;
        opcode = Integer.parseInt(parts[i + 2], 16);
        extension = i + 3 < parts.length ? parts[i + 3].charAt(1) - '0' : -1;
        this.encoding = encoding;
        this.memory = memory;
    }
}
