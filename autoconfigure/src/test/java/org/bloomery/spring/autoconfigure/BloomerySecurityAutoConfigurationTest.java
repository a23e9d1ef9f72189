package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.bloomery.engine.Engine;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.security.AuthorizationInterceptor;
import org.bloomery.spring.security.InferenceRequest;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.TenantResolver;
import org.bloomery.spring.security.ToolCallInterceptor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.authentication.AnonymousAuthenticationToken;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationDeniedException;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.core.authority.AuthorityUtils;
import org.springframework.security.core.context.SecurityContextHolder;

class BloomerySecurityAutoConfigurationTest {

    private static final String DEMO = Objects.requireNonNull(System.getProperty("bloomery.demo.model"));

    @TempDir
    Path folder = Path.of("");

    private final ApplicationContextRunner plain = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    BloomeryChatAutoConfiguration.class,
                    BloomerySecurityAutoConfiguration.class,
                    BloomeryAuditAutoConfiguration.class));

    private final ApplicationContextRunner context = plain.withPropertyValues(
            "bloomery.chat.model=" + DEMO, "bloomery.chat.max-tokens=4", "bloomery.engine.context-length=256");

    @AfterEach
    void forgetCaller() {
        SecurityContextHolder.clearContext();
    }

    private static void signIn(String name) {
        SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken(name, "", "USER"));
    }

    @Configuration(proxyBeanMethods = false)
    static class OnlyAda {
        @Bean
        AuthorizationManager<InferenceRequest> onlyAda(Engine engine) {
            return (caller, request) -> {
                assertThat(request.model()).isEqualTo(engine.model().name());
                assertThat(request.operation()).isEqualTo(InferenceRequest.CHAT);
                return new AuthorizationDecision(request.principal().equals("ada"));
            };
        }
    }

    /** One of the application's own, about something else. */
    @Configuration(proxyBeanMethods = false)
    static class Foreign {
        @Bean
        AuthorizationManager<String> foreign() {
            return (caller, request) -> new AuthorizationDecision(false);
        }
    }

    @Test
    void withoutManagersEverybodyMayAsk() {
        context.run(started -> {
            assertThat(started.getBean(ChatModel.class).call("Hello")).isNotNull();
        });
        context.withUserConfiguration(Foreign.class)
                .run(started -> assertThat(started.getBean(ChatModel.class).call("Hello"))
                        .isNotNull());
    }

    /** As a starter of the house may define it, after ours were looked at. */
    @AutoConfiguration(after = BloomerySecurityAutoConfiguration.class)
    static class Later {
        @Bean
        AuthorizationManager<InferenceRequest> nobody() {
            return (caller, request) -> new AuthorizationDecision(false);
        }
    }

    @Test
    void aManagerThatIsDefinedLaterIsAsked() {
        context.withConfiguration(AutoConfigurations.of(Later.class))
                .run(started -> assertThatThrownBy(
                                () -> started.getBean(ChatModel.class).call("Hello"))
                        .isInstanceOf(AuthorizationDeniedException.class));
    }

    @Test
    void whoMayNotAskIsRefusedAndRecorded() {
        Path file = folder.resolve("audit.jsonl");
        context.withUserConfiguration(OnlyAda.class)
                .withPropertyValues("bloomery.audit.enabled=true", "bloomery.audit.file=" + file)
                .run(started -> {
                    assertThat(started.getBeanProvider(GenerationInterceptor.class)
                                    .orderedStream()
                                    .toList())
                            .hasExactlyElementsOfTypes(AuthorizationInterceptor.class, ToolCallInterceptor.class);
                    ChatModel model = started.getBean(ChatModel.class);
                    signIn("ada");
                    assertThat(model.call("Hello")).isNotNull();
                    assertThat(model.stream(new Prompt("Hello")).collectList().block())
                            .isNotEmpty();
                    signIn("eve");
                    assertThatThrownBy(() -> model.call("Hello canary"))
                            .isInstanceOf(AuthorizationDeniedException.class);
                    assertThatThrownBy(() -> model.stream(new Prompt("Hello")).blockLast())
                            .isInstanceOf(AuthorizationDeniedException.class);
                    SecurityContextHolder.clearContext();
                    assertThatThrownBy(() -> model.call("Hello")).isInstanceOf(AuthorizationDeniedException.class);

                    List<String> lines = Files.readAllLines(file);
                    assertThat(lines).hasSize(5);
                    assertThat(lines.get(1)).contains("\"principal\":\"ada\"", "\"outcome\":\"COMPLETED\"");
                    assertThat(lines.get(2))
                            .contains(
                                    "\"principal\":\"eve\"",
                                    "\"outcome\":\"REFUSED\"",
                                    "\"error\":\"AuthorizationDeniedException\"")
                            .doesNotContain("canary");
                    assertThat(lines.get(4)).contains("\"principal\":\"anonymous\"");
                });
    }

    @Test
    void theCallerIsTheAuthenticatedOne() {
        plain.run(started -> {
            PrincipalResolver principals = started.getBean(PrincipalResolver.class);
            TenantResolver tenants = started.getBean(TenantResolver.class);
            assertThat(principals.principal()).isEqualTo("anonymous");
            signIn("ada");
            assertThat(principals.principal()).isEqualTo("ada");
            assertThat(tenants.tenant()).isEqualTo("ada");
            SecurityContextHolder.getContext()
                    .setAuthentication(new AnonymousAuthenticationToken(
                            "key", "somebody", AuthorityUtils.createAuthorityList("ANONYMOUS")));
            assertThat(principals.principal()).isEqualTo("anonymous");
        });
    }

    @Test
    void withoutSpringSecurityNobodyIsKnown() {
        plain.withClassLoader(new FilteredClassLoader("org.springframework.security"))
                .run(started -> assertThat(started.getBean(TenantResolver.class).tenant())
                        .isEqualTo("anonymous"));
    }
}
