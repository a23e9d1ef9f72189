package org.bloomery.engine.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {

    @TempDir
    Path folder;

    /** Files of random keys and tensors, written, read, and written again from what was read: the bytes are the same. */
    @Test
    void writesWhatTheReaderReadsAgain() throws IOException {
        long seed = Long.getLong("bloomery.seed", 42L);
        Random random = new Random(seed);
        for (int run = 0; run < 100; run++) {
            GgufWriter writer = new GgufWriter().version(2 + random.nextInt(2));
            int alignment = random.nextBoolean() ? 32 : 8 << random.nextInt(6);
            if (alignment != 32) {
                writer.alignment(alignment);
            }
            for (int key = random.nextInt(30); key > 0; key--) {
                putRandom(writer, "key." + key, random);
            }
            for (int tensor = random.nextInt(6); tensor > 0; tensor--) {
                putRandomTensor(writer, "tensor." + tensor, random);
            }
            byte[] first = bytes(writer);
            assertThat(GgufOracle.isLegal(first))
                    .as("run %d of seed %d", run, seed)
                    .isTrue();
            Path file = Files.write(folder.resolve("random.gguf"), first);
            try (ModelFile model = GgufReader.open(file, LoadMode.COPY)) {
                GgufWriter again = new GgufWriter().version(first[4]);
                if (alignment != 32) {
                    again.alignment(alignment);
                }
                again.copy(model.metadata(), key -> true);
                for (TensorInfo tensor : model.tensors()) {
                    again.tensor(tensor.name(), tensor.type(), tensor.shape(), model.data(tensor));
                }
                assertThat(bytes(again)).as("run %d of seed %d", run, seed).isEqualTo(first);
            }
        }
    }

    @Test
    void rewritesAGoldenFileWithoutLosingAKeyOrATensor() throws IOException {
        Path golden = Path.of(System.getProperty("bloomery.shared", ""), "golden", "architectures", "llama-dense.gguf");
        Assumptions.assumeTrue(Files.isRegularFile(golden), "The golden data is not beside this checkout");
        try (ModelFile model = GgufReader.open(golden, LoadMode.MAP)) {
            GgufWriter again = new GgufWriter().copy(model.metadata(), key -> true);
            for (TensorInfo tensor : model.tensors()) {
                again.tensor(tensor.name(), tensor.type(), tensor.shape(), model.data(tensor));
            }
            assertThat(bytes(again)).isEqualTo(Files.readAllBytes(golden));
        }
    }

    @Test
    void asksTheSourceForATensorPieceByPiece() throws IOException {
        Path file = folder.resolve("streamed.gguf");
        int pieces = 1000;
        new GgufWriter()
                .tensor("a", TensorType.F32, List.of(1024L, (long) pieces), out -> {
                    ByteBuffer piece = ByteBuffer.allocate(4096);
                    for (int i = 0; i < pieces; i++) {
                        piece.clear();
                        while (piece.hasRemaining()) {
                            piece.put((byte) i);
                        }
                        out.write(piece.flip());
                    }
                })
                .tensor("b", TensorType.I8, List.of(1L), new byte[] {9})
                .write(file);
        try (ModelFile model = GgufReader.open(file, LoadMode.COPY)) {
            byte[] a = model.data(model.tensors().get(0)).toArray(ValueLayout.JAVA_BYTE);
            byte[] expected = new byte[a.length];
            for (int i = 0; i < expected.length; i++) {
                expected[i] = (byte) (i / 4096);
            }
            assertThat(a).isEqualTo(expected);
            assertThat(model.data(model.tensors().get(1)).get(ValueLayout.JAVA_BYTE, 0))
                    .isEqualTo((byte) 9);
        }
    }

    @Test
    void refusesASourceThatWritesTooFewOrTooManyBytes() {
        for (int bytes : new int[] {0, 7, 9}) {
            GgufWriter writer = new GgufWriter()
                    .tensor("t", TensorType.I8, List.of(8L), out -> out.write(ByteBuffer.allocate(bytes)));
            assertThatIllegalStateException().isThrownBy(() -> bytes(writer)).withMessageContainingAll("'t'", "8");
        }
    }

    @Test
    void refusesWhatTheReaderWouldRefuse() {
        GgufWriter writer = new GgufWriter();
        byte[] none = new byte[0];
        assertThatIllegalArgumentException().isThrownBy(() -> writer.version(1));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.alignment(24));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.alignment(4));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.string("", "no key"));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.uint8("k", 256));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.uint32("k", -1));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.tensor("", TensorType.I8, List.of(1L), none));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.tensor("x".repeat(64), TensorType.I8, List.of(1L), new byte[1]));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.tensor("t", TensorType.I8, List.of(), none));
        assertThatIllegalArgumentException().isThrownBy(() -> writer.tensor("t", TensorType.I8, List.of(0L), none));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.tensor("t", TensorType.Q8_0, List.of(33L), new byte[34]));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.tensor("t", TensorType.F32, List.of(2L), new byte[7]));
        writer.tensor("t", TensorType.I8, List.of(1L), new byte[1]);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.tensor("t", TensorType.I8, List.of(1L), new byte[1]));
    }

    private static void putRandom(GgufWriter writer, String key, Random random) {
        int count = random.nextInt(5);
        switch (random.nextInt(14)) {
            case 0 -> writer.uint8(key, random.nextInt(256));
            case 1 -> writer.int16(key, (short) random.nextInt());
            case 2 -> writer.uint32(key, random.nextLong(1L << 32));
            case 3 -> writer.int32(key, random.nextInt());
            case 4 -> writer.uint64(key, random.nextLong());
            case 5 -> writer.float32(key, Float.intBitsToFloat(random.nextInt()));
            case 6 -> writer.float64(key, random.nextGaussian());
            case 7 -> writer.bool(key, random.nextBoolean());
            case 8 -> writer.string(key, text(random));
            case 9 -> {
                List<String> strings = new ArrayList<>();
                for (int i = 0; i < count * 100; i++) {
                    strings.add(text(random));
                }
                writer.strings(key, strings);
            }
            case 10 -> writer.int32s(key, random.ints(count).toArray());
            case 11 -> writer.uint64s(key, random.longs(count).toArray());
            case 12 -> {
                byte[] bytes = new byte[count * 20_000];
                random.nextBytes(bytes);
                writer.int8s(key, bytes);
            }
            default -> writer.bools(key, new boolean[count]);
        }
    }

    private static void putRandomTensor(GgufWriter writer, String name, Random random) {
        TensorType[] types = TensorType.values();
        TensorType type = types[random.nextInt(types.length)];
        List<Long> shape = new ArrayList<>();
        shape.add((long) type.blockSize() * (1 + random.nextInt(3)));
        for (int i = random.nextInt(4); i > 0; i--) {
            shape.add(1L + random.nextInt(4));
        }
        long elements = shape.stream().reduce(1L, Math::multiplyExact);
        byte[] data = new byte[Math.toIntExact(type.byteSize(elements))];
        random.nextBytes(data);
        writer.tensor(name, type, shape, data);
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            int c = random.nextInt(4) == 0 ? random.nextInt(0x20000) : random.nextInt(128);
            text.appendCodePoint(c >= 0xD800 && c < 0xE000 ? 'x' : c);
        }
        return text.toString();
    }

    private static byte[] bytes(GgufWriter writer) throws IOException {
        var out = new ByteArrayOutputStream();
        writer.write(Channels.newChannel(out));
        return out.toByteArray();
    }
}
