package org.bloomery.javaengine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CompletionException;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.ModelNotFoundException;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.format.LoadMode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The digest that an engine tells is that of the model in its memory, or there is none. */
@Timeout(120)
class EngineDigestTest {

    @TempDir
    Path folder = Path.of("");

    private Path model = Path.of("");

    @BeforeEach
    void copyModel() throws IOException {
        model = Files.copy(Path.of(System.getProperty("bloomery.demo.model")), folder.resolve("model.gguf"));
    }

    private Engine open() {
        return Engine.open(options(), LoadProgress.NONE);
    }

    private EngineOptions options() {
        return EngineOptions.builder(model)
                .contextLength(256)
                .loadMode(LoadMode.COPY)
                .build();
    }

    @Test
    void isTheSha256OfTheFileAndComputedOnce() throws Exception {
        String expected =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(model)));
        try (Engine engine = open()) {
            assertThat(engine.modelDigest().join()).isEqualTo(expected);
            Files.delete(model);
            assertThat(engine.modelDigest().join()).isEqualTo(expected);
        }
    }

    @Test
    void isNotThatOfAFileThatCameAfterTheLoad() throws Exception {
        try (Engine engine = open()) {
            Files.write(model, new byte[] {0}, StandardOpenOption.APPEND);
            assertThatThrownBy(() -> engine.modelDigest().join())
                    .isInstanceOf(CompletionException.class)
                    .cause()
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("model.gguf was changed after it was loaded");
            copyAgain();
            engine.swap(options(), LoadProgress.NONE, Duration.ZERO);
            assertThat(engine.modelDigest().join()).hasSize(64);
        }
    }

    private void copyAgain() throws IOException {
        Files.delete(model);
        copyModel();
    }

    @Test
    void failsWhereTheFileIsGoneOrTheEngineClosed() throws Exception {
        Engine engine = open();
        try (engine) {
            Files.delete(model);
            assertThatThrownBy(() -> engine.modelDigest().join()).hasCauseInstanceOf(ModelNotFoundException.class);
            engine.unload(Duration.ZERO);
            assertThatThrownBy(engine::modelDigest).isInstanceOf(EngineUnavailableException.class);
            copyModel();
            engine.swap(options(), LoadProgress.NONE, Duration.ZERO);
        }
        assertThatThrownBy(() -> engine.modelDigest().join()).hasCauseInstanceOf(EngineException.class);
    }
}
