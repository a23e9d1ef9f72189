package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.GgufWriter;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What a user reads when an application does not start. */
@ExtendWith(OutputCaptureExtension.class)
class FailureAnalysisTest {

    private static final Path DEMO = Path.of(Objects.requireNonNull(System.getProperty("bloomery.demo.model")));

    @TempDir
    Path folder = Path.of("");

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Plain {}

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class NeedsChatModel {
        @Bean
        String greeting(ChatModel model) {
            return model.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class NeedsChatClient {
        @Bean
        String greeting(ChatClient.Builder client) {
            return client.build().toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class NeedsSomethingElse {
        @Bean
        String greeting(Thread missing) {
            return missing.getName();
        }
    }

    private static void failToStart(Class<?> application, String... properties) {
        assertThatThrownBy(() -> start(application, properties)).isInstanceOf(Exception.class);
    }

    private static void start(Class<?> application, String... properties) {
        SpringApplication spring = new SpringApplication(application);
        spring.setWebApplicationType(WebApplicationType.NONE);
        String[] arguments = Stream.concat(Stream.of("spring.main.banner-mode=off"), Arrays.stream(properties))
                .map(property -> "--" + property)
                .toArray(String[]::new);
        spring.run(arguments).close();
    }

    @Test
    void modelMissing(CapturedOutput output) {
        failToStart(Plain.class, "bloomery.chat.model=/nowhere/model.gguf");
        assertThat(output)
                .contains(
                        "APPLICATION FAILED TO START",
                        "The model of 'bloomery.chat.model' (/nowhere/model.gguf) cannot be used.",
                        "is not there",
                        "Set 'bloomery.chat.model' to a GGUF file");
    }

    @Test
    void modelMissingOnTheClassPath(CapturedOutput output) {
        failToStart(Plain.class, "bloomery.chat.model=classpath:nowhere/model.gguf");
        assertThat(output)
                .contains("APPLICATION FAILED TO START", "classpath:nowhere/model.gguf", "Set 'bloomery.chat.model'");
    }

    @Test
    void emptyLocation(CapturedOutput output) {
        failToStart(Plain.class, "bloomery.chat.model=");
        assertThat(output)
                .contains("APPLICATION FAILED TO START", "Property 'bloomery.chat.model' is empty; expected a path");
    }

    @Test
    void notAModelFile(CapturedOutput output) throws Exception {
        Path model = Files.writeString(folder.resolve("model.gguf"), "This is a letter, not a model.\n".repeat(100));
        failToStart(Plain.class, "bloomery.chat.model=" + model);
        assertThat(output)
                .contains(
                        "APPLICATION FAILED TO START",
                        "The model of 'bloomery.chat.model' (" + model + ") cannot be used.",
                        "GGUF",
                        "Check that the file is a GGUF model and complete");
    }

    @Test
    void truncatedModelFile(CapturedOutput output) throws Exception {
        byte[] whole = Files.readAllBytes(DEMO);
        Path model = Files.write(folder.resolve("model.gguf"), Arrays.copyOf(whole, whole.length / 2));
        failToStart(Plain.class, "bloomery.chat.model=" + model);
        assertThat(output).contains("APPLICATION FAILED TO START", "Check that the file is a GGUF model and complete");
    }

    @Test
    void unsupportedArchitecture(CapturedOutput output) throws Exception {
        Path model = demoWith(writer -> writer.string("general.architecture", "perceptron"), "");
        failToStart(Plain.class, "bloomery.chat.model=" + model);
        assertThat(output)
                .contains(
                        "APPLICATION FAILED TO START",
                        "'perceptron'",
                        "Use a model of an architecture and a type that this version supports");
    }

    @Test
    void unsupportedTensorType(CapturedOutput output) throws Exception {
        String name = "blk.0.ffn_up.weight";
        byte[] data = new byte[768 * TensorType.IQ2_XXS.bytesPerBlock()];
        Path model = demoWith(writer -> writer.tensor(name, TensorType.IQ2_XXS, List.of(256L, 768L), data), name);
        failToStart(Plain.class, "bloomery.chat.model=" + model);
        assertThat(output)
                .contains(
                        "APPLICATION FAILED TO START",
                        "IQ2_XXS",
                        "Use a model of an architecture and a type that this version supports");
    }

    @Test
    void notEnoughMemory(CapturedOutput output) throws Exception {
        Path model = demoWith(writer -> writer.uint32("qwen3.context_length", 1 << 24), "");
        failToStart(
                Plain.class,
                "bloomery.chat.model=" + model,
                "bloomery.engine.context-length=16777216",
                "bloomery.engine.max-sequences=256");
        assertThat(output)
                .contains(
                        "APPLICATION FAILED TO START",
                        "256 sequences",
                        "Give the process more memory, lower 'bloomery.engine.context-length'");
    }

    @Test
    void badChatTemplate(CapturedOutput output) throws Exception {
        Path template = Files.writeString(folder.resolve("template.jinja"), "{% for %}");
        failToStart(Plain.class, "bloomery.chat.model=" + DEMO, "bloomery.engine.chat-template=" + template.toUri());
        assertThat(output).contains("APPLICATION FAILED TO START", "Set 'bloomery.engine.chat-template' to a template");
    }

    @Test
    void unknownBackend(CapturedOutput output) {
        failToStart(Plain.class, "bloomery.chat.model=" + DEMO, "bloomery.engine.backend=abacus");
        assertThat(output).contains("APPLICATION FAILED TO START", "Property 'bloomery.engine.backend' is 'abacus'");
    }

    /** The demo model with a change, and without the tensor that the change replaces. */
    private Path demoWith(Consumer<GgufWriter> change, String replaced) throws IOException {
        Path file = folder.resolve("changed.gguf");
        try (ModelFile demo = GgufReader.open(DEMO, LoadMode.COPY)) {
            GgufWriter writer = new GgufWriter().copy(demo.metadata(), key -> true);
            change.accept(writer);
            for (TensorInfo tensor : demo.tensors()) {
                if (!tensor.name().equals(replaced)) {
                    writer.tensor(tensor.name(), tensor.type(), tensor.shape(), demo.data(tensor));
                }
            }
            writer.write(file);
        }
        return file;
    }

    @Test
    void badChatOption(CapturedOutput output) throws Exception {
        Path model = Files.writeString(folder.resolve("model.gguf"), "never read");
        failToStart(Plain.class, "bloomery.chat.model=" + model, "bloomery.chat.temperature=50");
        assertThat(output)
                .contains(
                        "APPLICATION FAILED TO START",
                        "Property 'bloomery.chat.temperature' is 50; it must be 0 to 10.",
                        "Change the property to a value that is allowed.");
    }

    @Test
    void badEngineOption(CapturedOutput output) throws Exception {
        Path model = Files.writeString(folder.resolve("model.gguf"), "never read");
        failToStart(Plain.class, "bloomery.chat.model=" + model, "bloomery.engine.max-sequences=0");
        assertThat(output)
                .contains(
                        "APPLICATION FAILED TO START",
                        "Property 'bloomery.engine.max-sequences' is 0; it must be 1 to 256.",
                        "Change the property to a value that is allowed.");
    }

    @Test
    void chatModelNeededButNoModelSet(CapturedOutput output) {
        failToStart(NeedsChatModel.class);
        assertThat(output)
                .contains(
                        "APPLICATION FAILED TO START",
                        "Parameter 0 of method greeting",
                        "'bloomery.chat.model' is not set, so Bloomery offers no chat model.",
                        "Set 'bloomery.chat.model' to a GGUF file");
    }

    @Test
    void chatClientNeededButNoModelSet(CapturedOutput output) {
        failToStart(NeedsChatClient.class);
        assertThat(output).contains("'bloomery.chat.model' is not set", "Set 'bloomery.chat.model' to a GGUF file");
    }

    @Test
    void chatModelNeededButAnotherProviderSelected(CapturedOutput output) {
        failToStart(NeedsChatModel.class, "spring.ai.model.chat=none", "bloomery.chat.model=model.gguf");
        assertThat(output).contains("'spring.ai.model.chat' is 'none'", "Set 'spring.ai.model.chat' to 'bloomery'");
    }

    @Test
    void otherMissingBeansAreExplainedBySpring(CapturedOutput output) {
        failToStart(NeedsSomethingElse.class);
        assertThat(output).contains("java.lang.Thread").doesNotContain("bloomery.chat.model");
    }

    @Test
    void anApplicationThatNeedsNoModelStartsWithoutOne() {
        start(Plain.class);
    }
}
