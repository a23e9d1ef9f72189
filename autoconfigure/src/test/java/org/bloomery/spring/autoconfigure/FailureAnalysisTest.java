package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
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
                        "Set 'bloomery.chat.model' to a GGUF file");
    }

    @Test
    void modelMissingOnTheClassPath(CapturedOutput output) {
        failToStart(Plain.class, "bloomery.chat.model=classpath:nowhere/model.gguf");
        assertThat(output)
                .contains("APPLICATION FAILED TO START", "classpath:nowhere/model.gguf", "Set 'bloomery.chat.model'");
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
