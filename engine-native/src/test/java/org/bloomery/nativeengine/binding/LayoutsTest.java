package org.bloomery.nativeengine.binding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bloomery.engine.InvalidOptionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Structs and constants are as a C compiler printed them from the headers of each release, see {@code print-layouts.c}. */
class LayoutsTest {

    private static final List<StructLayout> STRUCTS =
            List.of(Layouts.MODEL_PARAMS, Layouts.CONTEXT_PARAMS, Layouts.BATCH, Layouts.KV_OVERRIDE);

    private static final Pattern FIELD = Pattern.compile("(\\w+)\\.(\\w+) (\\d+) (\\d+)");

    static List<String> releases() {
        return Llama.VERSIONS;
    }

    private static List<String> printed(String release) {
        try (InputStream in =
                Objects.requireNonNull(LayoutsTest.class.getResourceAsStream("/layouts/llama-v" + release + ".txt"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("releases")
    void structsAreLaidOutAsTheCompilerLaysThemOut(String release) {
        Map<String, String> expected = new TreeMap<>();
        for (String line : printed(release)) {
            Matcher field = FIELD.matcher(line);
            if (field.matches()) {
                expected.put(field.group(1) + "." + field.group(2), field.group(3) + " " + field.group(4));
            }
        }
        // Both fields of the union lie at one place; this module uses the longer one for either
        expected.remove("llama_model_kv_override.val_i64");
        Map<String, String> actual = new TreeMap<>();
        for (StructLayout struct : STRUCTS) {
            for (MemoryLayout member : struct.memberLayouts()) {
                member.name()
                        .ifPresent(field -> actual.put(
                                struct.name().orElseThrow() + "." + field,
                                struct.byteOffset(PathElement.groupElement(field)) + " " + member.byteSize()));
            }
        }
        assertThat(actual).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("releases")
    void structsHaveTheCompilersSize(String release) {
        TreeSet<String> expected = new TreeSet<>();
        printed(release).stream().filter(line -> line.contains(" size ")).forEach(expected::add);
        TreeSet<String> actual = new TreeSet<>();
        STRUCTS.forEach(struct -> actual.add(struct.name().orElseThrow() + " size " + struct.byteSize()));
        assertThat(actual).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("releases")
    void constantsHaveTheHeadersValues(String release) {
        assertThat(printed(release))
                .contains(
                        "LLAMA_SPLIT_MODE_NONE = " + Llama.SPLIT_MODE_NONE,
                        "LLAMA_SPLIT_MODE_LAYER = " + Llama.SPLIT_MODE_LAYER,
                        "LLAMA_SPLIT_MODE_ROW = " + Llama.SPLIT_MODE_ROW,
                        "LLAMA_LOAD_MODE_NONE = " + Llama.LOAD_MODE_NONE,
                        "LLAMA_LOAD_MODE_MMAP = " + Llama.LOAD_MODE_MMAP,
                        "LLAMA_LAZY_MODE_OFF = " + Llama.LAZY_MODE_OFF,
                        "LLAMA_FLASH_ATTN_TYPE_AUTO = " + Llama.FLASH_ATTENTION_AUTO,
                        "LLAMA_FLASH_ATTN_TYPE_DISABLED = " + Llama.FLASH_ATTENTION_OFF,
                        "LLAMA_FLASH_ATTN_TYPE_ENABLED = " + Llama.FLASH_ATTENTION_ON,
                        "LLAMA_KV_OVERRIDE_TYPE_INT = " + Llama.OVERRIDE_INT,
                        "LLAMA_KV_OVERRIDE_TYPE_STR = " + Llama.OVERRIDE_STRING,
                        "GGML_TYPE_F32 = " + Llama.TYPE_F32,
                        "GGML_TYPE_F16 = " + Llama.TYPE_F16,
                        "GGML_TYPE_Q4_0 = " + Llama.TYPE_Q4_0,
                        "GGML_TYPE_Q8_0 = " + Llama.TYPE_Q8_0,
                        "GGML_BACKEND_DEVICE_TYPE_CPU = " + Llama.DEVICE_CPU,
                        "GGML_BACKEND_DEVICE_TYPE_GPU = " + Llama.DEVICE_GPU,
                        "GGML_BACKEND_DEVICE_TYPE_IGPU = " + Llama.DEVICE_INTEGRATED_GPU,
                        "GGML_BACKEND_DEVICE_TYPE_ACCEL = " + Llama.DEVICE_ACCELERATOR);
    }

    @Test
    void anotherReleaseIsRefusedWithBothValues() {
        assertThatCode(() -> Llama.requireRelease("libllama.so", "0.5.0")).doesNotThrowAnyException();
        assertThatCode(() -> Llama.requireRelease("libllama.so", "0.4.0-dev")).doesNotThrowAnyException();
        for (String found : List.of("0.6.0", "0.5.1-dev", "", "0.5.0-devel")) {
            assertThatThrownBy(() -> Llama.requireRelease("libllama.so", found))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining("libllama.so is llama.cpp " + found + ";")
                    .hasMessageContaining("0.5.0 or 0.4.0");
        }
    }

    @Test
    void otherDefaultsAreRefusedWithBothValues() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment zeros = arena.allocate(Layouts.MODEL_PARAMS);
            assertThatThrownBy(() ->
                            Llama.requireDefaults("libllama.so", zeros, Layouts.MODEL_PARAMS, Llama.MODEL_DEFAULTS))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining("llama_model_params")
                    .hasMessageContaining("n_gpu_layers=0 instead of -1");
        }
    }

    @Test
    void theLogJoinsPiecesAndKeepsErrors() {
        NativeLog log = new NativeLog();
        log.accept(4, "no ");
        log.accept(5, "room\n");
        log.accept(2, "fine\n");
        log.accept(4, "x".repeat(10_000));
        assertThat(log.errors()).hasSize(2).first().isEqualTo("no room");
        assertThat(log.errors().getLast()).hasSizeLessThanOrEqualTo(4096);
        log.forgetErrors();
        assertThat(log.errors()).isEmpty();
    }
}
