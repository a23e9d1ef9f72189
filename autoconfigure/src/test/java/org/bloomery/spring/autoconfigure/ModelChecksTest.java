package org.bloomery.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.util.Objects;
import org.bloomery.engine.Engine;
import org.bloomery.engine.store.ModelDigest;
import org.bloomery.spring.security.Bundles;
import org.bloomery.spring.security.ModelAdmissionPolicy;
import org.bloomery.spring.security.ModelRefusedException;
import org.bloomery.spring.security.ModelRefusedException.Check;
import org.bloomery.spring.security.ModelVerdict;
import org.bloomery.spring.security.ModelVerifier;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Which models an application loads and which it refuses. */
@ExtendWith(OutputCaptureExtension.class)
class ModelChecksTest {

    private static final Path DEMO = Path.of(Objects.requireNonNull(System.getProperty("bloomery.demo.model")));

    @TempDir
    Path folder = Path.of("");

    private final ApplicationContextRunner context = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(BloomeryChatAutoConfiguration.class, BloomerySecurityAutoConfiguration.class))
            .withPropertyValues("bloomery.chat.model=" + DEMO, "bloomery.engine.context-length=256");

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Plain {}

    @Configuration(proxyBeanMethods = false)
    static class OwnVerifier {
        @Bean
        ModelVerifier none() {
            return model -> ModelVerdict.refused("Our registry does not know it.");
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnPolicy {
        @Bean
        ModelAdmissionPolicy none() {
            return model ->
                    ModelVerdict.refused("Model " + model.metadata().string("general.architecture") + " is odd.");
        }
    }

    private void accepts(String... properties) {
        context.withPropertyValues(properties)
                .run(started -> assertThat(started).hasSingleBean(Engine.class));
    }

    private void refuses(Check check, String reason, String... properties) {
        context.withPropertyValues(properties)
                .run(started -> assertThat(started)
                        .getFailure()
                        .rootCause()
                        .isInstanceOfSatisfying(ModelRefusedException.class, refusal -> {
                            assertThat(refusal.check()).isEqualTo(check);
                            assertThat(refusal).hasMessageContaining(reason);
                        }));
    }

    private void stops(String message, String... properties) {
        context.withPropertyValues(properties)
                .run(started -> assertThat(started).getFailure().hasStackTraceContaining(message));
    }

    @Test
    void aPinnedDigestIsHeldTo() {
        String digest = ModelDigest.of(DEMO).sha256();
        accepts("bloomery.security.model-sha256=" + digest, "bloomery.security.strict=true");
        accepts("bloomery.security.model-sha256=" + digest.toUpperCase(java.util.Locale.ROOT));
        refuses(Check.INTEGRITY, "is pinned", "bloomery.security.model-sha256=" + "ab".repeat(32));
    }

    @Test
    void strictNeedsSomethingToHoldTo() {
        refuses(Check.INTEGRITY, "nothing says which model it should be", "bloomery.security.strict=true");
    }

    @Test
    void aSignatureIsHeldTo() throws Exception {
        KeyPair keys = Bundles.keys("secp256r1");
        Path signature = Bundles.sign(folder.resolve("model.sig"), keys.getPrivate(), DEMO);
        Path key = Bundles.publicKey(folder.resolve("key.pem"), keys.getPublic());
        Path other = Bundles.publicKey(
                folder.resolve("other.pem"), Bundles.keys("secp256r1").getPublic());
        accepts(
                "bloomery.security.strict=true",
                "bloomery.security.model-signature=" + signature,
                "bloomery.security.signature-key=" + key);
        refuses(
                Check.INTEGRITY,
                "does not hold",
                "bloomery.security.model-signature=" + signature,
                "bloomery.security.signature-key=" + other);
        stops("set the signature and exactly one of them", "bloomery.security.model-signature=" + signature);
        stops("set the signature and exactly one of them", "bloomery.security.signature-certificates=" + key);
        stops(
                "Property 'bloomery.security.signature-certificates' is",
                "bloomery.security.model-signature=" + signature,
                "bloomery.security.signature-certificates=" + key);
    }

    @Test
    void listsAndLimitsAreHeldTo() {
        accepts(
                "bloomery.security.architectures=llama,qwen3",
                "bloomery.security.quantizations=Q8_0,F32",
                "bloomery.security.max-model-size=1GB");
        refuses(Check.ADMISSION, "allowed are llama", "bloomery.security.architectures=llama");
        refuses(Check.ADMISSION, "types", "bloomery.security.quantizations=Q4_0");
        refuses(Check.ADMISSION, "at most 1024", "bloomery.security.max-model-size=1KB");
    }

    @Test
    void aModelThatOthersMayWriteIsRefused() throws Exception {
        Assumptions.assumeTrue(
                folder.getFileSystem().supportedFileAttributeViews().contains("posix"),
                "This file system has no POSIX permissions.");
        Path model = Files.copy(DEMO, folder.resolve("model.gguf"), StandardCopyOption.REPLACE_EXISTING);
        String[] properties = {"bloomery.chat.model=" + model, "bloomery.security.private-location=true"};
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(model, PosixFilePermissions.fromString("rw-r--r--"));
        accepts(properties);
        Files.setPosixFilePermissions(model, PosixFilePermissions.fromString("rw-rw-r--"));
        refuses(Check.ADMISSION, "can be written by others", properties);
        Files.setPosixFilePermissions(model, PosixFilePermissions.fromString("rw-r--r--"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xrwx"));
        refuses(Check.ADMISSION, "can be written by others", properties);
    }

    @Test
    void chatTemplatesAreHeldTo() {
        context.run(started -> {
            String hash =
                    Objects.requireNonNull(started.getBean(Engine.class).model().templateHash());
            accepts("bloomery.security.chat-template=pinned", "bloomery.security.chat-template-sha256=" + hash);
        });
        refuses(
                Check.CHAT_TEMPLATE,
                "is pinned",
                "bloomery.security.chat-template=pinned",
                "bloomery.security.chat-template-sha256=" + "ab".repeat(32));
        refuses(Check.CHAT_TEMPLATE, "must come from the configuration", "bloomery.security.chat-template=override");
        accepts(
                "bloomery.security.chat-template=override",
                "bloomery.engine.chat-template=classpath:chat-template.jinja");
        stops("a pinned template has a SHA-256", "bloomery.security.chat-template=pinned");
    }

    @Test
    void valuesOutOfRangeStopTheStart() {
        stops("has 2 characters; a SHA-256 has 64", "bloomery.security.model-sha256=ab");
    }

    @Test
    void ownVerifiersAndPoliciesAreAsked() {
        context.withUserConfiguration(OwnVerifier.class)
                .run(started ->
                        assertThat(started).getFailure().rootCause().hasMessage("Our registry does not know it."));
        context.withUserConfiguration(OwnPolicy.class)
                .run(started -> assertThat(started).getFailure().rootCause().hasMessage("Model qwen3 is odd."));
    }

    @Test
    void aRefusalSaysWhatToDo(CapturedOutput output) {
        SpringApplication application = new SpringApplication(Plain.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        assertThatThrownBy(() -> application.run(
                        "--bloomery.chat.model=" + DEMO, "--bloomery.security.model-sha256=" + "ab".repeat(32)))
                .isInstanceOf(Exception.class);
        assertThat(output)
                .contains(
                        "APPLICATION FAILED TO START",
                        "is pinned",
                        "Use the model that 'bloomery.security.model-sha256'");
        assertThatThrownBy(() -> application.run(
                        "--bloomery.chat.model=" + DEMO,
                        "--bloomery.audit.enabled=true",
                        "--bloomery.audit.file=" + folder))
                .isInstanceOf(Exception.class);
        assertThat(output).contains("is no regular file", "Set 'bloomery.audit.file' to a file");
    }
}
