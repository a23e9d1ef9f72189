package org.bloomery.javaengine.kernel.machine;

import org.bloomery.javaengine.kernel.KernelContract;
import org.bloomery.javaengine.kernel.KernelLookup;
import org.bloomery.javaengine.kernel.Kernels;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/** The machine tier at every level that this processor has. */
class MachineKernelsTest {

    private static Kernels at(FeatureLevel level) {
        Kernels scalar = KernelLookup.choose("scalar");
        return MachineKernels.of(level, "Chosen by a test.", scalar, scalar);
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
    class WithAvx512Vnni extends KernelContract {
        WithAvx512Vnni() {
            super(at(FeatureLevel.AVX512_VNNI));
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
