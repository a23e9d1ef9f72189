package org.bloomery.spring.security;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Makes signatures as the tool of OpenSSF Model Signing makes them. */
public final class Bundles {

    private Bundles() {}

    public static KeyPair keys(String curve) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
        return generator.generateKeyPair();
    }

    public static Path pem(Path file, String kind, byte[]... ders) throws IOException {
        StringBuilder pem = new StringBuilder();
        for (byte[] der : ders) {
            pem.append("-----BEGIN ").append(kind).append("-----\n");
            pem.append(Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der));
            pem.append("\n-----END ").append(kind).append("-----\n");
        }
        return Files.writeString(file, pem);
    }

    public static Path publicKey(Path file, PublicKey key) throws IOException {
        return pem(file, "PUBLIC KEY", key.getEncoded());
    }

    /** A statement about files: their names with their SHA-256. */
    static String statement(Map<String, String> files) throws GeneralSecurityException {
        MessageDigest all = MessageDigest.getInstance("SHA-256");
        List<String> resources = new ArrayList<>();
        new TreeMap<>(files).forEach((name, digest) -> {
            all.update(HexFormat.of().parseHex(digest));
            resources.add("{\"algorithm\":\"sha256\",\"digest\":\"" + digest + "\",\"name\":\"" + name + "\"}");
        });
        return "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\""
                + HexFormat.of().formatHex(all.digest())
                + "\"}}],\"predicateType\":\"https://model_signing/signature/v1.0\",\"predicate\":{\"serialization\":"
                + "{\"method\":\"files\",\"hash_type\":\"sha256\",\"allow_symlinks\":false,\"ignore_paths\":[]},"
                + "\"resources\":[" + String.join(",", resources) + "]}}";
    }

    public static String sha256(Path file) throws IOException, GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    /** Signs files that lie in the signature's folder or anywhere, by their names. */
    public static Path sign(Path bundle, PrivateKey key, Path... files) throws IOException, GeneralSecurityException {
        Map<String, String> digests = new TreeMap<>();
        for (Path file : files) {
            digests.put(String.valueOf(file.getFileName()), sha256(file));
        }
        return write(bundle, key, "SHA256withECDSA", statement(digests));
    }

    static Path write(Path bundle, PrivateKey key, String algorithm, String statement, Certificate... chain)
            throws IOException, GeneralSecurityException {
        String type = "application/vnd.in-toto+json";
        byte[] payload = statement.getBytes(StandardCharsets.UTF_8);
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(
                ("DSSEv1 " + type.length() + " " + type + " " + payload.length + " ").getBytes(StandardCharsets.UTF_8));
        signature.update(payload);
        Base64.Encoder base64 = Base64.getEncoder();
        List<String> certificates = new ArrayList<>();
        for (Certificate certificate : chain) {
            certificates.add("{\"rawBytes\":\"" + base64.encodeToString(certificate.getEncoded()) + "\"}");
        }
        String material = chain.length == 0
                ? "{\"publicKey\":{\"hint\":\"\"},\"tlogEntries\":[]}"
                : "{\"x509CertificateChain\":{\"certificates\":[" + String.join(",", certificates)
                        + "]},\"tlogEntries\":[]}";
        return Files.writeString(
                bundle,
                "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":" + material
                        + ",\"dsseEnvelope\":{\"payload\":\"" + base64.encodeToString(payload) + "\",\"payloadType\":\""
                        + type + "\",\"signatures\":[{\"sig\":\"" + base64.encodeToString(signature.sign())
                        + "\",\"keyid\":\"\"}]}}");
    }
}
