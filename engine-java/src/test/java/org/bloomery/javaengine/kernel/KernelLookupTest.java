package org.bloomery.javaengine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.format.TensorType;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelLookupTest {

    private static final String VECTORS = "--add-modules=jdk.incubator.vector";
    private static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

    @Test
    void takesTheFastestTierThatWorksHere() {
        Kernels kernels = KernelLookup.choose("auto");
        assertThat(kernels.name()).matches("(machine|vector)-.*");
        assertThat(kernels.reason()).endsWith(".").contains("equal the scalar ones");
        assertThat(KernelLookup.choose("vector").name()).startsWith("vector-");
        assertThat(KernelLookup.choose("scalar").name()).isEqualTo("scalar");
    }

    @Test
    void refusesAnUnknownTier() {
        assertThatThrownBy(() -> KernelLookup.choose("quantum"))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessage("Option 'kernels' is 'quantum'; choose auto, machine, vector or scalar.");
    }

    @Test
    void runsWithoutAnyFlagAndNamesThem() throws Exception {
        assertThat(inJvmWith(List.of(), "auto"))
                .startsWith("scalar: ")
                .contains("--add-modules jdk.incubator.vector")
                .contains("--enable-native-access=ALL-UNNAMED")
                .contains("JDK_JAVA_OPTIONS");
        assertThat(inJvmWith(List.of(), "vector"))
                .startsWith("InvalidOptionException: Option 'kernels' is 'vector'")
                .contains("--add-modules jdk.incubator.vector");
        assertThat(inJvmWith(List.of(), "machine"))
                .startsWith("InvalidOptionException: Option 'kernels' is 'machine'")
                .contains("--enable-native-access=ALL-UNNAMED");
    }

    @Test
    void takesTheVectorTierWithoutNativeAccess() throws Exception {
        assertThat(inJvmWith(List.of(VECTORS), "auto"))
                .startsWith("vector-")
                .contains("There are no machine kernels: ")
                .contains("--enable-native-access=ALL-UNNAMED");
    }

    @Test
    void needsNoVectorModuleForMachineCode() throws Exception {
        assumeMachineCode();
        assertThat(inJvmWith(List.of(NATIVE), "auto")).startsWith("machine-");
        assertThat(inJvmWith(List.of(NATIVE, "-Xint"), "machine")).startsWith("machine-");
    }

    private static void assumeMachineCode() {
        String name = KernelLookup.choose("auto").name();
        Assumptions.assumeTrue(name.startsWith("machine-"), "This machine runs no machine code kernels: " + name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-XX:TieredStopAtLevel=1", "-Xint"})
    void runsWithoutTheOptimisingCompilerAndNamesTheFlag(String flag) throws Exception {
        assertThat(inJvmWith(List.of(VECTORS, flag), "auto"))
                .startsWith("scalar: ")
                .contains("TieredStopAtLevel");
    }

    /** What {@link #main} prints in a JVM with these flags only. */
    private static String inJvmWith(List<String> flags, String tier) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(KernelLookupTest.class.getName(), tier));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().remove("JDK_JAVA_OPTIONS");
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        builder.redirectError(ProcessBuilder.Redirect.to(new File(nullDevice())));
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return printed;
    }

    private static String nullDevice() {
        return File.separatorChar == '\\' ? "NUL" : "/dev/null";
    }

    /** Prints the tier chosen, or the refusal. */
    public static void main(String[] arguments) {
        try {
            Kernels kernels = KernelLookup.choose(arguments[0]);
            System.out.println(kernels.name() + ": " + kernels.reason());
        } catch (InvalidOptionException e) {
            System.out.println("InvalidOptionException: " + e.getMessage());
        }
    }

    @Test
    void catchesEveryKernelThatComputesWrong() {
        for (TensorType wrong : new TensorType[] {TensorType.F32, TensorType.Q8_0, TensorType.Q6_K}) {
            assertThat(SelfTest.failure(new Faulty(wrong, Fault.IN_LAST_ROW), SelfTest.samples()))
                    .hasValueSatisfying(failure -> assertThat(failure).contains(wrong.name()));
            assertThat(SelfTest.failure(new Faulty(wrong, Fault.CANNOT_RUN), SelfTest.samples()))
                    .hasValueSatisfying(failure -> assertThat(failure).contains(wrong.name(), "LinkageError"));
        }
        assertThat(SelfTest.failure(KernelLookup.choose("scalar"), SelfTest.samples()))
                .isEmpty();
    }

    @Test
    void catchesInterleavedRowsThatAreReadWrong() {
        assertThat(SelfTest.failure(new Faulty(TensorType.Q8_0, Fault.IN_INTERLEAVED_ROWS), SelfTest.samples()))
                .hasValueSatisfying(failure -> assertThat(failure).contains("Q8_0"));
    }

    @Test
    void catchesAttentionThatComputesWrong() {
        Kernels sound = new Faulty(TensorType.IQ3_S, Fault.IN_LAST_ROW);
        assertThat(SelfTest.failure(sound, SelfTest.samples())).isEmpty();
        AttentionKernel doubled = (a, aStride, b, c, m, k, n) -> {
            sound.attention().multiplyAdd(a, aStride, b, c, m, k, n);
            sound.attention().multiplyAdd(a, aStride, b, c, m, k, n);
        };
        assertThat(SelfTest.failure(new Faulty(TensorType.IQ3_S, Fault.IN_LAST_ROW, doubled), SelfTest.samples()))
                .hasValueSatisfying(failure -> assertThat(failure).contains("attention"));
    }

    private enum Fault {
        /** A little off. */
        IN_LAST_ROW,
        CANNOT_RUN,
        /** Taken for rows that stand one after the other. */
        IN_INTERLEAVED_ROWS
    }

    /** Scalar kernels, but for one type. */
    private record Faulty(TensorType wrong, Fault fault, AttentionKernel attention) implements Kernels {

        private static final ScalarKernels SOUND = new ScalarKernels("Used by a test.");

        Faulty(TensorType wrong, Fault fault) {
            this(wrong, fault, SOUND.attention());
        }

        @Override
        public String name() {
            return "faulty";
        }

        @Override
        public String reason() {
            return "Used by a test.";
        }

        @Override
        public MatrixKernel matrix(TensorType type) {
            MatrixKernel sound = SOUND.matrix(type);
            return type == wrong ? new FaultyMatrixKernel(sound, fault) : sound;
        }

        @Override
        public ElementwiseKernel elementwise() {
            return SOUND.elementwise();
        }
    }

    private record FaultyMatrixKernel(MatrixKernel sound, Fault fault) implements MatrixKernel {

        @Override
        public Optional<Interleaving> interleaving(int columns) {
            return fault == Fault.IN_INTERLEAVED_ROWS ? Optional.of(new Interleaving(4, 34, 0)) : Optional.empty();
        }

        @Override
        public MatrixKernel interleaved() {
            return sound;
        }

        @Override
        public int scratchLength(int columns, int tokens) {
            return sound.scratchLength(columns, tokens);
        }

        @Override
        public void multiply(
                java.lang.foreign.MemorySegment weights,
                int from,
                int to,
                Activations x,
                float[] out,
                int outOffset,
                int rows,
                float[] scratch) {
            if (fault == Fault.CANNOT_RUN) {
                throw new LinkageError("no such instruction");
            }
            sound.multiply(weights, from, to, x, out, outOffset, rows, scratch);
            if (fault == Fault.IN_LAST_ROW) {
                out[outOffset + x.tokens() * rows - 1] *= 1.01f;
            }
        }

        @Override
        public void dequantizeRow(
                java.lang.foreign.MemorySegment weights, int row, int columns, float[] out, int outOffset) {
            sound.dequantizeRow(weights, row, columns, out, outOffset);
        }
    }
}
