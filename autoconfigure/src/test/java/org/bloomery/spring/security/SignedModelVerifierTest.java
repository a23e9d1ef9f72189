package org.bloomery.spring.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bloomery.engine.InvalidOptionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SignedModelVerifierTest {

    @TempDir
    Path folder = Path.of("");

    private Path model = Path.of("");
    private Path bundle = Path.of("");

    @BeforeEach
    void writeModel() throws Exception {
        model = Files.writeString(folder.resolve("model.gguf"), "weights");
        bundle = folder.resolve("model.sig");
    }

    private ModelVerdict verify(KeyPair keys) throws Exception {
        Path key = Bundles.publicKey(folder.resolve("key.pem"), keys.getPublic());
        return SignedModelVerifier.withKey(bundle, key).verify(model);
    }

    @ParameterizedTest
    @CsvSource({"secp256r1,SHA256withECDSA", "secp384r1,SHA384withECDSA", "secp521r1,SHA512withECDSA"})
    void aSignatureByTheKeyIsAccepted(String curve, String algorithm) throws Exception {
        KeyPair keys = Bundles.keys(curve);
        Bundles.write(
                bundle,
                keys.getPrivate(),
                algorithm,
                Bundles.statement(Map.of("model.gguf", Bundles.sha256(model), "README.md", "00".repeat(32))));
        assertThat(verify(keys)).isEqualTo(ModelVerdict.ACCEPTED);
    }

    @Test
    void aKeyFileMayHaveADescriptionAroundTheKey() throws Exception {
        KeyPair keys = Bundles.keys("secp256r1");
        Bundles.sign(bundle, keys.getPrivate(), model);
        Path key = Bundles.publicKey(folder.resolve("key.pem"), keys.getPublic());
        Files.writeString(key, "Public Key Info:\n\tKey: EC\n" + Files.readString(key) + "\nThat was it.\n");
        assertThat(SignedModelVerifier.withKey(bundle, key).verify(model)).isEqualTo(ModelVerdict.ACCEPTED);
    }

    @Test
    void aFileSignedAloneIsADot() throws Exception {
        KeyPair keys = Bundles.keys("secp256r1");
        Bundles.write(
                bundle, keys.getPrivate(), "SHA256withECDSA", Bundles.statement(Map.of(".", Bundles.sha256(model))));
        assertThat(verify(keys)).isEqualTo(ModelVerdict.ACCEPTED);
    }

    @Test
    void everyPartOfASplitModelMustBeSigned() throws Exception {
        KeyPair keys = Bundles.keys("secp256r1");
        model = Files.writeString(folder.resolve("m-00001-of-00002.gguf"), "one");
        Path second = Files.writeString(folder.resolve("m-00002-of-00002.gguf"), "two");
        Bundles.sign(bundle, keys.getPrivate(), model, second);
        assertThat(verify(keys).accepted()).isTrue();
        Files.writeString(second, "2");
        assertThat(verify(keys).reason()).contains("m-00002-of-00002.gguf", "was changed");
        Bundles.sign(bundle, keys.getPrivate(), model);
        assertThat(verify(keys).accepted()).isFalse();
    }

    @Test
    void aChangedModelIsRefused() throws Exception {
        KeyPair keys = Bundles.keys("secp256r1");
        Bundles.sign(bundle, keys.getPrivate(), model);
        Files.writeString(model, "other weights");
        assertThat(verify(keys).reason()).contains("Signature model.sig names the SHA-256", "was changed");
    }

    @Test
    void anotherKeyIsRefused() throws Exception {
        Bundles.sign(bundle, Bundles.keys("secp256r1").getPrivate(), model);
        assertThat(verify(Bundles.keys("secp256r1")).reason()).contains("does not hold");
    }

    @Test
    void aChangedPayloadIsRefused() throws Exception {
        KeyPair keys = Bundles.keys("secp256r1");
        Bundles.sign(bundle, keys.getPrivate(), model);
        Path other = Files.writeString(folder.resolve("other.gguf"), "other");
        Path otherBundle = folder.resolve("other.sig");
        Bundles.sign(otherBundle, Bundles.keys("secp256r1").getPrivate(), other);
        String payload = "\"payload\":\"";
        String theirs = Files.readString(otherBundle);
        String ours = Files.readString(bundle);
        int from = theirs.indexOf(payload);
        int at = ours.indexOf(payload);
        Files.writeString(
                bundle,
                ours.substring(0, at)
                        + theirs.substring(from, theirs.indexOf("\",\"payloadType"))
                        + ours.substring(ours.indexOf("\",\"payloadType")));
        assertThat(verify(keys).reason()).contains("does not hold");
    }

    @Test
    void otherStatementsAreRefused() throws Exception {
        KeyPair keys = Bundles.keys("secp256r1");
        String good = Bundles.statement(Map.of("model.gguf", Bundles.sha256(model)));
        String[][] bad = {
            {"signature/v1.0", "Digests/v0.1", "is about no model"},
            {"Statement/v1", "Statement/v2", "is about no model"},
            {"\"method\":\"files\"", "\"method\":\"shards\"", "not over whole files"},
            {"\"hash_type\":\"sha256\"", "\"hash_type\":\"blake3\"", "not over whole files"},
            {"\"algorithm\":\"sha256\"", "\"algorithm\":\"blake2b\"", "another digest"},
            {"\"name\":\"model.gguf\"", "\"name\":\"else.gguf\"", "does not name model.gguf"},
            {
                "\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"",
                "\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"0",
                "inconsistent"
            },
        };
        for (String[] change : bad) {
            assertThat(good).contains(change[0]);
            Bundles.write(bundle, keys.getPrivate(), "SHA256withECDSA", good.replace(change[0], change[1]));
            assertThat(verify(keys).accepted()).as(change[1]).isFalse();
            if (!change[0].equals("\"name\":\"model.gguf\"")) {
                assertThat(verify(keys).reason()).contains(change[2]);
            }
        }
    }

    @Test
    void whateverIsNoBundleIsRefused() throws Exception {
        KeyPair keys = Bundles.keys("secp256r1");
        assertThat(verify(keys).reason()).contains("cannot be read");
        Files.writeString(bundle, "A letter.");
        assertThat(verify(keys).reason()).contains("cannot be read");
        Files.writeString(bundle, "{}");
        assertThat(verify(keys).reason()).contains("has no DSSE envelope");
        Bundles.sign(bundle, keys.getPrivate(), model);
        byte[] whole = Files.readAllBytes(bundle);
        long seed = System.nanoTime();
        System.out.println("SignedModelVerifierTest seed " + seed);
        Random random = new Random(seed);
        for (int n = 0; n < 500; n++) {
            byte[] changed = whole.clone();
            changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(bundle, changed);
            ModelVerdict verdict = verify(keys);
            assertThat(verdict).as("seed %d, change %d", seed, n).isNotNull();
        }
    }

    @Test
    void aKeyFileMustHoldAKey() throws Exception {
        Path key = Files.writeString(folder.resolve("key.pem"), "none");
        assertThatThrownBy(() -> SignedModelVerifier.withKey(bundle, key))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("key.pem");
        assertThatThrownBy(() -> SignedModelVerifier.withAuthorities(bundle, key))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("key.pem");
    }

    private void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", folder.resolve("keys.p12").toString(), "-storepass", "changeit"));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("keytool.log").toFile())
                .start();
        assertThat(process.waitFor())
                .as(Files.readString(folder.resolve("keytool.log")))
                .isZero();
    }

    private void pair(String alias, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "-genkeypair", "-alias", alias, "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=" + alias));
        arguments.addAll(List.of(more));
        keytool(arguments.toArray(String[]::new));
    }

    @Test
    void certificatesCountWhereAKnownAuthorityIssuedThemForSigning() throws Exception {
        pair("authority", "-ext", "bc:c=ca:true");
        pair("signer", "-signer", "authority", "-ext", "ku:c=digitalSignature");
        pair("server", "-signer", "authority", "-ext", "ku:c=keyAgreement");
        pair("stranger", "-ext", "ku:c=digitalSignature");
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve("keys.p12"))) {
            store.load(in, "changeit".toCharArray());
        }
        Path authorities = Bundles.pem(
                folder.resolve("ca.pem"),
                "CERTIFICATE",
                store.getCertificate("authority").getEncoded());
        SignedModelVerifier verifier = SignedModelVerifier.withAuthorities(bundle, authorities);
        for (String alias : List.of("signer", "server", "stranger")) {
            Certificate[] chain = store.getCertificateChain(alias);
            Bundles.write(
                    bundle,
                    (PrivateKey) store.getKey(alias, "changeit".toCharArray()),
                    "SHA256withECDSA",
                    Bundles.statement(Map.of("model.gguf", Bundles.sha256(model))),
                    chain);
            ModelVerdict verdict = verifier.verify(model);
            switch (alias) {
                case "signer" -> assertThat(verdict).isEqualTo(ModelVerdict.ACCEPTED);
                case "server" -> assertThat(verdict.reason()).contains("not for signing");
                default -> assertThat(verdict.reason()).contains("not made by a trusted key");
            }
        }
        Bundles.write(
                bundle,
                (PrivateKey) store.getKey("stranger", "changeit".toCharArray()),
                "SHA256withECDSA",
                Bundles.statement(Map.of("model.gguf", Bundles.sha256(model))),
                store.getCertificateChain("signer"));
        assertThat(verifier.verify(model).reason()).contains("does not hold");
    }
}
