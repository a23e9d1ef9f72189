package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.bloomery.spring.security.ModelChecks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.io.DefaultResourceLoader;
import org.springframework.mock.env.MockEnvironment;

class EngineOpeningTest {

    @TempDir
    Path folder;

    private static EngineOpening opening(ClassLoader loader) {
        MockEnvironment environment =
                new MockEnvironment().withProperty("bloomery.chat.model", "classpath:models/a.gguf");
        Binder binder = Binder.get(environment);
        return new EngineOpening(
                binder.bindOrCreate(BloomeryChatProperties.PREFIX, BloomeryChatProperties.class),
                binder.bindOrCreate(BloomeryEngineProperties.PREFIX, BloomeryEngineProperties.class),
                binder.bindOrCreate(BloomeryAdmissionProperties.PREFIX, BloomeryAdmissionProperties.class),
                new DefaultResourceLoader(loader),
                new DefaultListableBeanFactory().getBeanProvider(ModelChecks.class));
    }

    private Path jar() throws IOException {
        Path jar = folder.resolve("models.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            for (String name : new String[] {"models/a.gguf", "models/b.gguf"}) {
                out.putNextEntry(new JarEntry(name));
                out.write(name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
                out.closeEntry();
            }
        }
        return jar;
    }

    @Test
    void copiesAModelOutOfAnArchiveOnceHoweverOftenItIsLoaded() throws Exception {
        try (URLClassLoader loader = new URLClassLoader(new URL[] {jar().toUri().toURL()}, null)) {
            EngineOpening opening = opening(loader);
            Path first = opening.options(null).model();
            assertThat(first).hasContent("models/a.gguf");
            assertThat(opening.options(null).model()).isEqualTo(first);
            assertThat(opening.options("classpath:models/a.gguf").model()).isEqualTo(first);
            Path other = opening.options("classpath:models/b.gguf").model();
            assertThat(other).isNotEqualTo(first).hasContent("models/b.gguf");

            Files.delete(first);
            Path again = opening.options(null).model();
            assertThat(again).isNotEqualTo(first).hasContent("models/a.gguf");
            assertThat(first.getParent()).doesNotExist();

            opening.destroy();
            assertThat(again.getParent()).doesNotExist();
            assertThat(other.getParent()).doesNotExist();
        }
    }

    @Test
    void asksForAFileAnewEachTimeAndLeavesIt() throws Exception {
        Path file = Files.writeString(folder.resolve("m.gguf"), "x");
        EngineOpening opening = opening(ClassLoader.getPlatformClassLoader());
        assertThat(opening.options(file.toString()).model()).isEqualTo(file);
        opening.destroy();
        assertThat(file).exists();
    }
}
