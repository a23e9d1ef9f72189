package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.ToolCallbackProvider;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.ai.tool.definition.ToolDefinition;
import org.springframework.ai.tool.method.MethodToolCallbackProvider;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@ExtendWith(OutputCaptureExtension.class)
class ToolBeansCheckTest {

    private final ApplicationContextRunner context = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(BloomeryChatAutoConfiguration.class, ChatClientAutoConfiguration.class))
            .withPropertyValues(
                    "bloomery.chat.model=" + Objects.requireNonNull(System.getProperty("bloomery.demo.model")),
                    "bloomery.chat.temperature=0",
                    "bloomery.engine.context-length=512");

    private static ToolCallback tool(String name, String schema) {
        ToolDefinition definition = ToolDefinition.builder()
                .name(name)
                .description("Get the " + name)
                .inputSchema(schema)
                .build();
        return new ToolCallback() {
            @Override
            public ToolDefinition getToolDefinition() {
                return definition;
            }

            @Override
            public String call(String input) {
                return "none";
            }
        };
    }

    static final class Weather {
        @Tool(description = "Get the current weather for a city")
        String getWeather(String city) {
            return "sunny in " + city + ", 21 degrees";
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Tools {
        @Bean
        ToolCallback wind() {
            return tool("wind", "{\"type\":\"object\",\"properties\":{\"day\":{\"not\":{\"type\":\"null\"}}}}");
        }

        @Bean
        ToolCallbackProvider station() {
            return ToolCallbackProvider.from(
                    tool("tides", "{\"type\":\"array\"}"), tool("snow", "{\"type\":\"object\"}"), tool("fog", "{"));
        }

        @Bean
        ToolCallbackProvider weather() {
            return MethodToolCallbackProvider.builder()
                    .toolObjects(new Weather())
                    .build();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Silent {
        @Bean
        ToolCallbackProvider silent() {
            return () -> {
                throw new IllegalStateException("nobody home");
            };
        }
    }

    @Test
    void brokenToolsAreNamedAtStartUpAndOnlyThere(CapturedOutput output) {
        context.withConfiguration(AutoConfigurations.of(ToolCallingAutoConfiguration.class))
                .withUserConfiguration(Tools.class)
                .run(started -> {
                    assertThat(lines(output))
                            .hasSize(3)
                            .anySatisfy(
                                    line -> assertThat(line).contains("WARN", "bean 'wind'", "#/properties/day/not"))
                            .anySatisfy(
                                    line -> assertThat(line).contains("WARN", "bean 'station'", "'tides'", "#/type"))
                            .anySatisfy(
                                    line -> assertThat(line).contains("WARN", "bean 'station'", "'fog'", "not JSON"));
                    String answer = started.getBean(ChatClient.Builder.class)
                            .build()
                            .prompt("What is the weather in Paris?")
                            .tools(started.getBean("weather"), started.getBean("wind"))
                            .call()
                            .content();
                    assertThat(answer).contains("sunny");
                    assertThat(lines(output)).hasSize(3);
                });
    }

    private static List<String> lines(CapturedOutput output) {
        return output.getAll()
                .lines()
                .filter(line -> line.contains("is left out of requests"))
                .toList();
    }

    @Test
    void aProviderThatFailsDoesNotStopTheStart(CapturedOutput output) {
        context.withUserConfiguration(Silent.class)
                .run(started -> assertThat(started).hasNotFailed());
        assertThat(output).contains("The tools of bean 'silent' are not checked", "nobody home");
    }
}
