package org.bloomery.engine.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataTest {

    private static final Set<String> INTEGERS =
            Set.of("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64");
    private static final Set<String> FLOATS = Set.of("float32", "float64");

    /** Each getter with a key that must be there, and with a fallback; and the types that it reads. */
    private record Getter(BiFunction<Metadata, String, Object> read, Set<String> types) {}

    private static final Map<String, Getter> GETTERS = getters();

    @TempDir
    Path folder;

    private static Map<String, Getter> getters() {
        Map<String, Getter> getters = new LinkedHashMap<>();
        getters.put("string", new Getter(Metadata::string, Set.of("string")));
        getters.put("string or", new Getter((m, key) -> m.string(key, ""), Set.of("string")));
        getters.put("int32", new Getter(Metadata::int32, INTEGERS));
        getters.put("int32 or", new Getter((m, key) -> m.int32(key, 0), INTEGERS));
        getters.put("int64", new Getter(Metadata::int64, INTEGERS));
        getters.put("int64 or", new Getter((m, key) -> m.int64(key, 0), INTEGERS));
        getters.put("float64", new Getter(Metadata::float64, FLOATS));
        getters.put("float64 or", new Getter((m, key) -> m.float64(key, 0), FLOATS));
        getters.put("bool or", new Getter((m, key) -> m.bool(key, false), Set.of("bool")));
        getters.put("strings", new Getter(Metadata::strings, Set.of("array of string")));
        getters.put("strings or", new Getter((m, key) -> m.strings(key, List.of()), Set.of("array of string")));
        getters.put("int32s", new Getter(Metadata::int32s, arrays(INTEGERS)));
        getters.put("int32s or", new Getter((m, key) -> m.int32s(key, new int[0]), arrays(INTEGERS)));
        getters.put("float32s", new Getter(Metadata::float32s, arrays(FLOATS)));
        getters.put("float32s or", new Getter((m, key) -> m.float32s(key, new float[0]), arrays(FLOATS)));
        return getters;
    }

    private static Set<String> arrays(Set<String> types) {
        return types.stream().map(type -> "array of " + type).collect(Collectors.toSet());
    }

    private static GgufWriter everyType() {
        return new GgufWriter()
                .uint8("uint8", 200)
                .int8("int8", -5)
                .uint16("uint16", 60_000)
                .int16("int16", -300)
                .uint32("uint32", 70_000)
                .int32("int32", -70_000)
                .uint64("uint64", 5)
                .int64("int64", -6)
                .float32("float32", 1.5f)
                .float64("float64", -2.5)
                .bool("bool", true)
                .string("string", "text")
                .uint8s("array of uint8", new byte[] {1, -1})
                .int8s("array of int8", new byte[] {1, -1})
                .uint16s("array of uint16", (short) 1, (short) -1)
                .int16s("array of int16", (short) 1, (short) -1)
                .uint32s("array of uint32", 1, 2)
                .int32s("array of int32", 1, -2)
                .uint64s("array of uint64", 1, 2)
                .int64s("array of int64", 1, -2)
                .float32s("array of float32", 0.5f, -1)
                .float64s("array of float64", 0.5, -1)
                .bools("array of bool", true, false)
                .strings("array of string", List.of("a", "", "ß🙂"));
    }

    @Test
    void readsEveryTypeAsItsJavaType() throws IOException {
        Metadata metadata = read(everyType());
        Map<String, Object> expected = new LinkedHashMap<>();
        expected.put("uint8", 200L);
        expected.put("int8", -5L);
        expected.put("uint16", 60_000L);
        expected.put("int16", -300L);
        expected.put("uint32", 70_000L);
        expected.put("int32", -70_000L);
        expected.put("uint64", 5L);
        expected.put("int64", -6L);
        expected.put("float32", 1.5);
        expected.put("float64", -2.5);
        expected.put("bool", true);
        expected.put("string", "text");
        expected.put("array of uint8", List.of(1L, 255L));
        expected.put("array of int8", List.of(1L, -1L));
        expected.put("array of uint16", List.of(1L, 65_535L));
        expected.put("array of int16", List.of(1L, -1L));
        expected.put("array of uint32", List.of(1L, 2L));
        expected.put("array of int32", List.of(1L, -2L));
        expected.put("array of uint64", List.of(1L, 2L));
        expected.put("array of int64", List.of(1L, -2L));
        expected.put("array of float32", List.of(0.5, -1.0));
        expected.put("array of float64", List.of(0.5, -1.0));
        expected.put("array of bool", List.of(true, false));
        expected.put("array of string", List.of("a", "", "ß🙂"));
        assertThat(metadata.keys()).containsExactlyElementsOf(expected.keySet());
        expected.forEach((key, value) -> assertThat(metadata.value(key)).as(key).isEqualTo(value));
        assertThat(metadata.value("absent")).isNull();
        assertThat(metadata.contains("absent")).isFalse();
        assertThat(metadata.contains("bool")).isTrue();
    }

    @Test
    void everyGetterReadsItsTypesAndRefusesAllOthersByName() throws IOException {
        Metadata metadata = read(everyType());
        GETTERS.forEach((name, getter) -> {
            for (String key : metadata.keys()) {
                if (getter.types.contains(key)) {
                    assertThat(getter.read.apply(metadata, key))
                            .as("%s of %s", name, key)
                            .isNotNull();
                } else {
                    assertThatExceptionOfType(ModelFormatException.class)
                            .as("%s of %s", name, key)
                            .isThrownBy(() -> getter.read.apply(metadata, key))
                            .withMessageContainingAll("Key '" + key + "'", "type " + key + ";", "expected a", "f.gguf");
                }
            }
        });
    }

    @Test
    void namesTheKeyThatIsAbsentUnlessThereIsAFallback() throws IOException {
        Metadata metadata = read(everyType());
        GETTERS.forEach((name, getter) -> {
            if (name.endsWith(" or")) {
                assertThat(getter.read.apply(metadata, "absent")).as(name).isNotNull();
            } else {
                assertThatExceptionOfType(ModelFormatException.class)
                        .as(name)
                        .isThrownBy(() -> getter.read.apply(metadata, "absent"))
                        .withMessageContainingAll("'absent'", "missing", "f.gguf");
            }
        });
    }

    @Test
    void refusesIntegersThatDoNotFit() throws IOException {
        Metadata metadata = read(new GgufWriter()
                .uint32("large", 1L << 31)
                .int64("small", Integer.MIN_VALUE - 1L)
                .uint64("huge", -1)
                .uint64s("huges", 1, -1)
                .uint32s("larges", 7, -1));
        assertThat(metadata.int64("large")).isEqualTo(1L << 31);
        assertThatThrownBy(() -> metadata.int32("large"))
                .hasMessageContainingAll("'large'", "2147483648", "2147483647");
        assertThatThrownBy(() -> metadata.int32("small")).hasMessageContainingAll("'small'", "-2147483649");
        assertThatThrownBy(() -> metadata.int64("huge")).hasMessageContainingAll("'huge'", "18446744073709551615");
        assertThatThrownBy(() -> metadata.int32s("larges"))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll("Element 1", "'larges'", "4294967295");
        assertThatThrownBy(() -> metadata.int32s("huges")).hasMessageContainingAll("Element 1", "'huges'");
        assertThat(metadata.value("huge")).isEqualTo(new BigInteger("18446744073709551615"));
    }

    @Test
    void refusesFloatsThatAreNotFinite() throws IOException {
        Metadata metadata =
                read(new GgufWriter().float32("nan", Float.NaN).float64("infinite", Double.NEGATIVE_INFINITY));
        assertThatThrownBy(() -> metadata.float64("nan"))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll("'nan'", "NaN", "finite");
        assertThatThrownBy(() -> metadata.float64("infinite", 1)).hasMessageContainingAll("'infinite'", "-Infinity");
    }

    @Test
    void givesNoWayToChangeIt() throws IOException {
        Metadata metadata = read(everyType());
        assertThatThrownBy(() -> metadata.keys().remove("bool")).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> metadata.strings("array of string").set(0, "b"))
                .isInstanceOf(UnsupportedOperationException.class);
        metadata.int32s("array of int32")[0] = 99;
        assertThat(metadata.int32s("array of int32")).containsExactly(1, -2);
    }

    @Test
    void stillGivesItsValuesWhenTheFileIsClosed() throws IOException {
        assertThat(read(everyType()).strings("array of string")).containsExactly("a", "", "ß🙂");
    }

    private Metadata read(GgufWriter writer) throws IOException {
        Path file = folder.resolve("f.gguf");
        Files.deleteIfExists(file);
        writer.write(file);
        try (ModelFile model = GgufReader.open(file, LoadMode.COPY)) {
            return model.metadata();
        }
    }
}
