package org.bloomery.javaengine.kernel.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.ActivationForm;
import org.bloomery.javaengine.kernel.Activations;
import org.bloomery.javaengine.kernel.KernelContract;
import org.bloomery.javaengine.kernel.KernelLookup;
import org.bloomery.javaengine.kernel.Kernels;
import org.bloomery.javaengine.quant.QuantType;
import org.bloomery.javaengine.quant.QuantTypes;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The machine tier at every level that this processor has. */
class MachineKernelsTest {

    private static Kernels at(FeatureLevel level) {
        return MachineKernels.of(level, "Chosen by a test.", KernelLookup.choose("scalar"));
    }

    private static void assume(FeatureLevel level) {
        Processor processor;
        try {
            processor = MachineKernels.processor();
        } catch (IllegalStateException e) {
            Assumptions.abort("No machine code here: " + e.getMessage());
            return;
        }
        Assumptions.assumeTrue(level.runsOn(processor), "This processor has no " + level.label());
    }

    @Nested
    class WithAvx512Bf16 extends KernelContract {
        WithAvx512Bf16() {
            super(at(FeatureLevel.AVX512_BF16));
        }

        @BeforeAll
        static void needsTheProcessor() {
            assume(FeatureLevel.AVX512_BF16);
        }

        @Test
        void roundsActivationsAsTheTypeRoundsWeights() {
            float[] x = new float[1 << 17];
            for (int i = 0; i < x.length; i++) {
                // every upper half, and lower halves below, at and above a tie
                x[i] = Float.intBitsToFloat(((i / 2) << 16) | (i % 2 == 0 ? 0x8000 : (i * 40503) & 0xFFFF));
            }
            MemorySegment rounded = MemorySegment.ofArray(new byte[2 * x.length]);
            QuantType type = QuantTypes.of(TensorType.BF16);
            type.quantize(x, 0, x.length, rounded, 0);
            float[] expected = new float[x.length];
            type.dequantize(rounded, 0, x.length, expected, 0);

            float[] multiplied = new float[x.length];
            ActivationForm form =
                    at(FeatureLevel.AVX512_BF16).matrix(TensorType.BF16).form();
            form.round(x, 0, x.length, multiplied, 0);
            float[] packed = new float[form.length(x.length, 1)];
            form.pack(new Activations(x, 0, 1, x.length, packed), 0);
            float[] unpacked = new float[x.length];
            type.dequantize(MemorySegment.ofArray(packed), 0, x.length, unpacked, 0);

            for (int i = 0; i < x.length; i++) {
                boolean normal = Float.isNaN(x[i]) || Math.abs(x[i]) >= Float.MIN_NORMAL;
                float value = normal ? expected[i] : Math.copySign(0f, x[i]);
                assertThat(Float.floatToIntBits(multiplied[i])).isEqualTo(Float.floatToIntBits(value));
                assertThat(Float.floatToIntBits(unpacked[i])).isEqualTo(Float.floatToIntBits(value));
            }
        }
    }

    @Nested
    class WithAvx512Vnni extends KernelContract {
        WithAvx512Vnni() {
            super(at(FeatureLevel.AVX512_VNNI));
        }

        @Test
        void readsQuantisedRowsInterleaved() {
            for (QuantType type : QuantTypes.all()) {
                boolean quantised = type.type().blockSize() > 1;
                assertThat(at(FeatureLevel.AVX512_VNNI).matrix(type.type()).interleaving(512))
                        .as("%s", type.type())
                        .matches(found -> found.isPresent() == quantised);
            }
        }

        @BeforeAll
        static void needsTheProcessor() {
            assume(FeatureLevel.AVX512_VNNI);
        }
    }

    @Nested
    class WithAvxVnni extends KernelContract {
        WithAvxVnni() {
            super(at(FeatureLevel.AVX_VNNI));
        }

        @BeforeAll
        static void needsTheProcessor() {
            assume(FeatureLevel.AVX_VNNI);
        }
    }

    @Nested
    class WithAvx2 extends KernelContract {
        WithAvx2() {
            super(at(FeatureLevel.AVX2));
        }

        @BeforeAll
        static void needsTheProcessor() {
            assume(FeatureLevel.AVX2);
        }
    }
}
