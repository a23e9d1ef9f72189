package org.bloomery.engine.format;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bloomery.engine.format.GgufOracle.Field;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A corpus of broken files, made by changing small legal ones. Every mutant opens if and only if {@link GgufOracle} says
 * that it is legal; otherwise a {@link ModelFormatException} says in one line what is wrong. No mutant takes more than
 * a second of computing or more memory than four times its size and 16 MiB.
 */
class MalformedFilesTest {

    private static final long MOST_NANOS = 1_000_000_000L;
    private static final long MEMORY_FLOOR = 16L << 20;
    /** Times as many mutants where chance picks them: {@code -Dbloomery.corpus.scale=100} for a long run. */
    private static final int SCALE = Integer.getInteger("bloomery.corpus.scale", 1);

    private static final int[] POWERS = {2, 4, 5, 7, 8, 15, 16, 20, 23, 28, 31, 32, 33, 42, 47, 60, 62};

    private static final Path DEMO_MODEL = Path.of(System.getProperty("bloomery.demo.model", ""));
    private static final Path GOLDEN_MODEL =
            Path.of(System.getProperty("bloomery.shared", ""), "golden", "quantized-tensors.gguf");

    @TempDir
    static Path folder;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private int legal;
    private int refused;

    @AfterEach
    void countsWhatItDid(TestReporter report) {
        assertThat(refused).as("mutants refused").isPositive();
        report.publishEntry("mutants", refused + " refused, " + legal + " legal");
    }

    static Stream<String> seeds() {
        return SEEDS.keySet().stream();
    }

    private static final Map<String, byte[]> SEEDS = seedFiles();

    private static Map<String, byte[]> seedFiles() {
        Map<String, byte[]> seeds = new LinkedHashMap<>();
        seeds.put("empty", bytes(new GgufWriter()));
        seeds.put(
                "every-type",
                bytes(new GgufWriter()
                        .uint8("u8", 200)
                        .int8("i8", -5)
                        .uint16("u16", 60_000)
                        .int16("i16", -300)
                        .uint32("u32", 4_000_000_000L)
                        .int32("i32", -70_000)
                        .uint64("u64", -1)
                        .int64("i64", Long.MIN_VALUE)
                        .float32("f32", 1.5f)
                        .float64("f64", -2.5)
                        .bool("b", true)
                        .string("s", "text")
                        .uint8s("u8s", new byte[] {1, -1})
                        .int8s("i8s", new byte[] {1, -1})
                        .uint16s("u16s", (short) -1)
                        .int16s("i16s", (short) -1)
                        .uint32s("u32s", -1, 2)
                        .int32s("i32s", -1, 2)
                        .uint64s("u64s", -1)
                        .int64s("i64s", -1)
                        .float32s("f32s", 0.5f, Float.NaN)
                        .float64s("f64s", 0.5)
                        .bools("bs", true, false)
                        .strings("ss", List.of("a", "", "äö"))
                        .strings("none", List.of())));
        seeds.put(
                "tensors",
                bytes(new GgufWriter()
                        .string("general.architecture", "llama")
                        .uint32("llama.block_count", 1)
                        .tensor("token_embd.weight", TensorType.Q8_0, List.of(32L, 3L), new byte[3 * 34])
                        .tensor("blk.0.attn_q.weight", TensorType.F32, List.of(3L, 2L), new byte[24])
                        .tensor("cube", TensorType.F16, List.of(2L, 2L, 2L, 1L), new byte[16])
                        .tensor("output.weight", TensorType.Q4_K, List.of(256L), new byte[144])
                        .tensor("last", TensorType.I8, List.of(7L), new byte[7])));
        seeds.put(
                "version-2-aligned-to-64",
                bytes(new GgufWriter()
                        .version(2)
                        .alignment(64)
                        .string("tokenizer.chat_template", "{{ messages }}")
                        .strings("tokenizer.ggml.tokens", List.of("<s>", "</s>", "a", "b"))
                        .int32s("tokenizer.ggml.token_type", 3, 3, 1, 1)
                        .float32s("tokenizer.ggml.scores", 0, 0, -1, -2)
                        .tensor("a", TensorType.F32, List.of(5L), new byte[20])
                        .tensor("b", TensorType.BF16, List.of(3L, 3L), new byte[18])));
        return seeds;
    }

    private static byte[] bytes(GgufWriter writer) {
        var out = new ByteArrayOutputStream();
        try {
            writer.write(Channels.newChannel(out));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return out.toByteArray();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void judgesEveryTruncation(String seed) throws IOException {
        byte[] file = seed(seed);
        for (int length = 0; length < file.length; length++) {
            judge(Arrays.copyOf(file, length), "cut at byte " + length);
        }
        judge(Arrays.copyOf(file, file.length + 1), "one byte more");
        judge(Arrays.copyOf(file, file.length + 100), "100 bytes more");
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void judgesEveryIntegerReplacedByExtremes(String seed) throws IOException {
        byte[] file = seed(seed);
        for (Field field : GgufOracle.fields(file)) {
            for (long value : extremes(file, field)) {
                byte[] mutant = file.clone();
                put(mutant, field, value);
                judge(mutant, field.what() + " = " + value);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void judgesPairsOfIntegersReplacedByExtremes(String seed) throws IOException {
        byte[] file = seed(seed);
        List<Field> fields = GgufOracle.fields(file);
        Random random = new Random(11L * SCALE);
        for (int i = 0; i < 1000 * SCALE; i++) {
            byte[] mutant = file.clone();
            StringBuilder what = new StringBuilder();
            for (int change = 0; change < 2; change++) {
                Field field = fields.get(random.nextInt(fields.size()));
                List<Long> values = extremes(file, field);
                long value = values.get(random.nextInt(values.size()));
                put(mutant, field, value);
                what.append(field.what()).append(" = ").append(value).append("; ");
            }
            judge(mutant, what.toString());
        }
    }

    /** Bytes flipped, cut out, doubled and moved at random. */
    @ParameterizedTest
    @MethodSource("seeds")
    void judgesRandomDamage(String seed) throws IOException {
        byte[] file = seed(seed);
        long randomSeed = Long.getLong("bloomery.seed", 20_261_123L);
        Random random = new Random(randomSeed);
        for (int i = 0; i < 1000 * SCALE; i++) {
            byte[] mutant = file.clone();
            for (int damage = random.nextInt(3); damage >= 0; damage--) {
                mutant = damaged(mutant, random);
            }
            judge(mutant, "random damage " + i + " of -Dbloomery.seed=" + randomSeed);
        }
    }

    @Test
    void judgesTensorsSwappedAndDoubled() throws IOException {
        byte[] file = seed("tensors");
        List<Field> offsets = GgufOracle.fields(file).stream()
                .filter(field -> field.what().startsWith("offset of"))
                .toList();
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        for (Field target : offsets) {
            for (Field source : offsets) {
                for (long shift : new long[] {0, 1, -1, 31, 32, -32, 64, file.length, Long.MIN_VALUE, -64}) {
                    byte[] mutant = file.clone();
                    put(mutant, target, bytes.getLong(source.offset()) + shift);
                    judge(mutant, target.what() + " like " + source.what() + " and " + shift);
                }
            }
        }
    }

    @Test
    void refusesEveryKeyAndEveryTensorThatIsThereTwice() throws IOException {
        for (String seed : SEEDS.keySet()) {
            byte[] file = seed(seed);
            List<Field> names = GgufOracle.fields(file).stream()
                    .filter(field -> field.what().matches("length of (key|tensor name)"))
                    .toList();
            for (Field first : names) {
                for (Field second : names) {
                    // Overwrites the second name with the first where both are of one length
                    int length = file[first.offset()];
                    if (!first.equals(second)
                            && length == file[second.offset()]
                            && first.what().equals(second.what())) {
                        byte[] mutant = file.clone();
                        System.arraycopy(file, first.offset(), mutant, second.offset(), 8 + length);
                        assertThat(judge(mutant, "a name twice")).contains("twice");
                    }
                }
            }
        }
    }

    @Test
    void refusesLengthsThatThePayloadCannotHave() throws IOException {
        long[] lengths = {1L << 20, (1L << 20) + 1, 8L << 20, (8L << 20) + 1, 1L << 31, 1L << 40, Long.MAX_VALUE, -1};
        for (int type = 0; type <= 13; type++) {
            for (long length : lengths) {
                ByteBuffer file = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
                file.putInt(0x46554747).putInt(3).putLong(0).putLong(1);
                file.putLong(1).put((byte) 'k').putInt(9).putInt(type).putLong(length);
                judge(file.array(), "array of " + length + " of type " + type);
            }
        }
        for (long length : lengths) {
            ByteBuffer file = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN);
            file.putInt(0x46554747).putInt(3).putLong(0).putLong(1).putLong(length);
            judge(file.array(), "a key of " + length + " bytes");
        }
    }

    @Test
    void refusesStringsLongerThanTheLimitThoughTheyAreThere() throws IOException {
        String longest = "x".repeat(1 << 20);
        judge(bytes(new GgufWriter().string("k", longest)), "the longest string");
        assertThat(judge(bytes(new GgufWriter().string("k", longest + "x")), "a longer string"))
                .contains("'k'", "1048577", "1048576");
        assertThat(judge(bytes(new GgufWriter().strings("k", List.of("", longest + "x"))), "a longer element"))
                .contains("'k'");
        String template = "x".repeat(4 << 20);
        judge(bytes(new GgufWriter().string("tokenizer.chat_template", template)), "the longest template");
        assertThat(judge(bytes(new GgufWriter().string("tokenizer.chat_template", template + "x")), "a longer one"))
                .contains("'tokenizer.chat_template'");
        assertThat(judge(bytes(new GgufWriter().string("tokenizer.other", template)), "no template"))
                .contains("'tokenizer.other'");
        assertThat(legal).isEqualTo(2);
    }

    @Test
    void refusesMoreElementsKeysAndTensorsThanTheLimit() throws IOException {
        judge(bytes(new GgufWriter().uint8s("k", new byte[8 << 20])), true, "the longest array");
        assertThat(judge(bytes(new GgufWriter().uint8s("k", new byte[(8 << 20) + 1])), false, "a longer array"))
                .contains("'k'", "8388609", "8388608");
        GgufWriter keys = new GgufWriter();
        for (int i = 0; i < 65_536; i++) {
            keys.bool("k" + i, true);
        }
        judge(bytes(keys), "the most keys");
        assertThat(judge(bytes(keys.bool("k65536", true)), "more keys")).contains("65537", "65536");
        GgufWriter tensors = new GgufWriter().alignment(8);
        for (int i = 0; i < 65_536; i++) {
            tensors.tensor("t" + i, TensorType.I8, List.of(1L), new byte[1]);
        }
        judge(bytes(tensors), "the most tensors");
        tensors.tensor("t65536", TensorType.I8, List.of(1L), new byte[1]);
        assertThat(judge(bytes(tensors), "more tensors")).contains("65537", "65536");
        assertThat(legal).isEqualTo(3);
    }

    /** Keys with one hash code and a common beginning: a list or a plain hash table would take minutes. */
    @Test
    void opensKeysThatCollide() throws IOException {
        GgufWriter writer = new GgufWriter();
        for (int i = 0; i < 65_536; i++) {
            StringBuilder key = new StringBuilder();
            for (int bit = 0; bit < 16; bit++) {
                key.append(((i >> bit) & 1) == 0 ? "Aa" : "BB");
            }
            writer.bool(key.toString(), true);
        }
        byte[] file = bytes(writer);
        judge(file, "colliding keys");
        assertThat(legal).isEqualTo(1);
        file[file.length - 1 - (file.length - 1) % 32] = 9;
        judge(Arrays.copyOf(file, file.length / 2), "half of the colliding keys");
    }

    @Test
    void judgesHeadersMadeOfNothingButShortArrays() throws IOException {
        GgufWriter writer = new GgufWriter();
        for (int i = 0; i < 65_536; i++) {
            writer.strings("k" + i, List.of("a"));
        }
        byte[] file = bytes(writer);
        judge(file, "short arrays");
        assertThat(legal).isEqualTo(1);
        judge(Arrays.copyOf(file, file.length - 33), "short arrays cut");
    }

    /** Names are decoded while the header is read: the most memory for a byte of the file. */
    @ParameterizedTest
    @ValueSource(strings = {"\uFFFD", "\u4E00", "\u00E9", "\uD83D\uDE42"})
    void judgesHeadersMadeOfNothingButLongNames(String letter) throws IOException {
        GgufWriter writer = new GgufWriter();
        String name = letter.repeat(60_000 / letter.getBytes(StandardCharsets.UTF_8).length);
        for (int i = 0; i < 500; i++) {
            writer.bool(name + i, true);
        }
        byte[] file = bytes(writer);
        judge(file, "long names");
        assertThat(legal).isEqualTo(1);
        file[40] = (byte) 0xFF;
        judge(file, "long names, one of them no UTF-8");
    }

    @Test
    @EnabledIf(value = "demoModelIsThere", disabledReason = "The demo model is not in this checkout")
    void refusesTheDemoModelCutAnywhere() throws IOException {
        refusesCutAnywhere(DEMO_MODEL);
    }

    @Test
    @EnabledIf(value = "goldenModelIsThere", disabledReason = "The golden data is not beside this checkout")
    void refusesAGoldenModelCutAnywhere() throws IOException {
        refusesCutAnywhere(GOLDEN_MODEL);
    }

    static boolean demoModelIsThere() {
        return Files.isRegularFile(DEMO_MODEL);
    }

    static boolean goldenModelIsThere() {
        return Files.isRegularFile(GOLDEN_MODEL);
    }

    private void refusesCutAnywhere(Path model) throws IOException {
        TreeSet<Long> ends = new TreeSet<>();
        long length;
        try (ModelFile file = GgufReader.open(model, LoadMode.MAP)) {
            length = file.fileBytes();
            for (TensorInfo tensor : file.tensors()) {
                for (long at : List.of(tensor.offset(), tensor.offset() + tensor.byteSize())) {
                    for (long near : new long[] {-64, -1, 0, 1, 64}) {
                        ends.add(at + near);
                    }
                }
            }
            TensorInfo last = file.tensors().getLast();
            ends.removeIf(end -> end < 0 || end >= last.offset() + last.byteSize());
        }
        Random random = new Random(3);
        for (int i = 0; i < 100; i++) {
            ends.add(random.nextLong(0, ends.last()));
        }
        Path copy = folder.resolve("cut.gguf");
        Files.copy(model, copy, StandardCopyOption.REPLACE_EXISTING);
        copy.toFile().setWritable(true);
        try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
            for (long end : ends.descendingSet()) {
                channel.truncate(end);
                String message = open(copy, end, false, "cut at byte " + end + " of " + length);
                assertThat(message).matches(".*byte.*");
            }
        }
    }

    private static byte[] seed(String name) {
        byte[] file = Objects.requireNonNull(SEEDS.get(name));
        assertThat(GgufOracle.isLegal(file)).isTrue();
        return file.clone();
    }

    private static List<Long> extremes(byte[] file, Field field) {
        List<Long> values = new ArrayList<>(List.of(0L, 1L, -1L, Long.MIN_VALUE, Long.MAX_VALUE));
        for (int power : POWERS) {
            if (power < 8 * field.width()) {
                long value = 1L << power;
                values.addAll(List.of(value - 1, value, value + 1));
            }
        }
        long original = 0;
        for (int i = field.width() - 1; i >= 0; i--) {
            original = original << 8 | (file[field.offset() + i] & 0xFF);
        }
        values.addAll(List.of(original + 1, original - 1, original * 2, original / 2, -original));
        // Every value type and every tensor type, known or not
        if (field.what().contains("type of")) {
            for (long type = 0; type < 50; type++) {
                values.add(type);
            }
        }
        return values.stream().distinct().toList();
    }

    private static void put(byte[] file, Field field, long value) {
        for (int i = 0; i < field.width(); i++) {
            file[field.offset() + i] = (byte) (value >> (8 * i));
        }
    }

    private static byte[] damaged(byte[] file, Random random) {
        if (file.length == 0) {
            return new byte[] {1};
        }
        int at = random.nextInt(file.length);
        int length = 1 + random.nextInt(Math.min(16, file.length - at));
        byte[] before = Arrays.copyOf(file, at);
        byte[] piece = Arrays.copyOfRange(file, at, at + length);
        byte[] after = Arrays.copyOfRange(file, at + length, file.length);
        return switch (random.nextInt(5)) {
            case 0 -> {
                random.nextBytes(piece);
                yield joined(before, piece, after);
            }
            case 1 -> {
                piece[0] ^= (byte) (1 << random.nextInt(8));
                yield joined(before, piece, after);
            }
            case 2 -> joined(before, after);
            case 3 -> joined(before, piece, piece, after);
            default -> joined(before, after, piece);
        };
    }

    private static byte[] joined(byte[]... pieces) {
        var all = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            all.writeBytes(piece);
        }
        return all.toByteArray();
    }

    /** Opens a mutant and checks the verdict; gives the message, empty where the mutant is legal. */
    private String judge(byte[] mutant, String what) throws IOException {
        return judge(mutant, GgufOracle.isLegal(mutant), what);
    }

    private String judge(byte[] mutant, boolean isLegal, String what) throws IOException {
        Path file = folder.resolve("mutant.gguf");
        // Written over the one before: a file system may flush one that is cut to nothing first
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(mutant));
            channel.truncate(mutant.length);
        }
        return open(file, mutant.length, isLegal, what);
    }

    private String open(Path file, long length, boolean isLegal, String what) {
        String message = "";
        long outside = 0;
        long allocated = threads.getCurrentThreadAllocatedBytes();
        // Not the clock's: other tests and builds may keep the machine busy
        long start = threads.getCurrentThreadCpuTime();
        try (ModelFile model = GgufReader.open(file, LoadMode.COPY)) {
            model.tensors().stream().findFirst().ifPresent(model::data);
            outside = model.tensors().stream().mapToLong(TensorInfo::byteSize).sum();
            assertThat(isLegal).as("legal, since it was opened: %s", what).isTrue();
            legal++;
        } catch (ModelFormatException e) {
            message = String.valueOf(e.getMessage());
            assertThat(isLegal).as("legal: %s, but: %s", what, message).isFalse();
            refused++;
        }
        long nanos = threads.getCurrentThreadCpuTime() - start;
        long memory = threads.getCurrentThreadAllocatedBytes() - allocated + outside;
        assertThat(nanos).as("nanoseconds taken by %s", what).isLessThanOrEqualTo(MOST_NANOS);
        assertThat(memory).as("bytes taken by %s", what).isLessThanOrEqualTo(4 * length + MEMORY_FLOOR);
        if (!isLegal) {
            assertThat(message)
                    .as(what)
                    .matches("\\P{Cntrl}{20,700}")
                    .contains(String.valueOf(file.getFileName()))
                    .matches(".*([Bb]yte|[Kk]ey|[Tt]ensor|version|GGUF).*");
        }
        return message;
    }
}
