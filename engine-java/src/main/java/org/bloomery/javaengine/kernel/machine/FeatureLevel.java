package org.bloomery.javaengine.kernel.machine;

import org.bloomery.engine.format.TensorType;

/** A set of instructions that kernels are assembled from, the best first. */
enum FeatureLevel {
    /** 512-bit vectors with the dot products of bytes and of brain floats. */
    AVX512_BF16("avx512-bf16"),
    /** 512-bit vectors with the dot product of bytes. */
    AVX512_VNNI("avx512-vnni"),
    /** 256-bit vectors with the dot product of bytes. */
    AVX_VNNI("avx-vnni"),
    /** 256-bit vectors. */
    AVX2("avx2");

    private final String label;

    FeatureLevel(String label) {
        this.label = label;
    }

    /** As a kernel tier's name ends. */
    String label() {
        return label;
    }

    /** Width of the vector registers. */
    int bits() {
        return this == AVX512_BF16 || this == AVX512_VNNI ? 512 : 256;
    }

    boolean multipliesBrainFloats() {
        return this == AVX512_BF16;
    }

    boolean runsOn(Processor processor) {
        return switch (this) {
            case AVX512_BF16 -> processor.avx512Vnni() && processor.avx512Bf16();
            case AVX512_VNNI -> processor.avx512Vnni();
            case AVX_VNNI -> processor.avxVnni();
            case AVX2 -> processor.avx2();
        };
    }

    /**
     * Whether rows of this type are best interleaved. Rows of BF16 would be read faster for one token, but more slowly for
     * eight, whose activations fill a first-level cache.
     */
    boolean interleaves(TensorType type) {
        return bits() == 512 && type.blockSize() > 1;
    }

    /**
     * The code of a type whose activations are packed.
     *
     * @param interleaved whether rows are, which is for a {@linkplain #interleaves type that may be} only
     */
    MatrixCode matrixCode(TensorType type, boolean interleaved) {
        return switch (this) {
            case AVX512_BF16 -> type == TensorType.BF16 ? new Bf16Code() : new Avx512Code(type, interleaved);
            case AVX512_VNNI -> new Avx512Code(type, interleaved);
            case AVX_VNNI -> new Avx2Code(type, true);
            case AVX2 -> new Avx2Code(type, false);
        };
    }
}
