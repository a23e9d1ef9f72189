package org.bloomery.javaengine.kernel.machine;

/** What an instruction names besides memory: by its number in the encoding. */
sealed interface Register {

    int number();

    /** 64-bit registers for addresses and counts, in the order of their numbers. */
    enum General implements Register {
        RAX(0),
        RCX(1),
        RDX(2),
        RBX(3),
        RSP(4),
        RBP(5),
        RSI(6),
        RDI(7),
        R8(8),
        R9(9),
        R10(10),
        R11(11),
        R12(12),
        R13(13),
        R14(14),
        R15(15);

        private final int number;

        General(int number) {
            this.number = number;
        }

        @Override
        public int number() {
            return number;
        }
    }

    /**
     * A vector register, seen at a width; numbers above 15 exist with EVEX only.
     *
     * @param bits 128 (xmm), 256 (ymm) or 512 (zmm)
     */
    record Vector(int number, int bits) implements Register {
        public Vector {
            if (number < 0 || number > 31 || (bits != 128 && bits != 256 && bits != 512)) {
                throw new IllegalArgumentException("There is no vector register " + number + " of " + bits + " bits");
            }
        }

        /** The same register at another width. */
        Vector as(int bits) {
            return new Vector(number, bits);
        }
    }

    /** A register of lane masks, k1 to k7; k0 stands for all lanes. */
    record Mask(int number) implements Register {
        static final Mask NONE = new Mask(0);
    }
}
