package org.bloomery.javaengine.kernel.machine;

import org.bloomery.engine.format.TensorType;

/** A set of instructions that kernels are assembled from, the best first. */
enum FeatureLevel {
    /** 512-bit vectors with the dot product of bytes. */
    AVX512_VNNI("avx512-vnni");

    private final String label;

    FeatureLevel(String label) {
        this.label = label;
    }

    /** As a kernel tier's name ends. */
    String label() {
        return label;
    }

    boolean runsOn(Processor processor) {
        return switch (this) {
            case AVX512_VNNI -> processor.avx512Vnni();
        };
    }

    IntegerCode integerCode(TensorType type) {
        return switch (this) {
            case AVX512_VNNI -> new Avx512Code(type);
        };
    }
}
