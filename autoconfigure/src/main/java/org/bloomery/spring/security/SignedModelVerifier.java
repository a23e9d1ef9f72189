package org.bloomery.spring.security;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.store.ModelDigest;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Accepts models that somebody trusted signed with OpenSSF Model Signing 1.0: a Sigstore bundle with a DSSE envelope around
 * an in-toto statement that lists files with their SHA-256. Signatures are ECDSA over P-256, P-384 or P-521, by a known key
 * or by a certificate that a known authority issued for signing. Transparency logs and keyless signatures are not looked
 * into. Sources: github.com/sigstore/model-transparency, docs/model_signing_format.md; github.com/secure-systems-lab/dsse,
 * protocol.md.
 */
public final class SignedModelVerifier implements ModelVerifier {

    private static final String PAYLOAD_TYPE = "application/vnd.in-toto+json";
    private static final String STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
    private static final String PREDICATE_TYPE = "https://model_signing/signature/v1.0";
    private static final String CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
    private static final String BEGIN = "-----BEGIN PUBLIC KEY-----";
    private static final String END = "-----END PUBLIC KEY-----";
    private static final int MOST_BYTES = 16 << 20;

    private final Path bundle;
    private final @Nullable PublicKey key;
    private final List<X509Certificate> authorities;

    private SignedModelVerifier(Path bundle, @Nullable PublicKey key, List<X509Certificate> authorities) {
        this.bundle = bundle;
        this.key = key;
        this.authorities = List.copyOf(authorities);
    }

    /**
     * Trusts one key.
     *
     * @param bundle the signature's file
     * @param publicKey a file with a public key, PEM
     * @throws InvalidOptionException if it holds no such key
     */
    public static SignedModelVerifier withKey(Path bundle, Path publicKey) {
        try {
            String pem = Files.readString(publicKey);
            int begin = pem.indexOf(BEGIN);
            int end = pem.indexOf(END, Math.max(0, begin));
            if (begin < 0 || end < 0) {
                throw new IllegalArgumentException("No public key between its marks.");
            }
            // Tools write a description for people around it
            byte[] der = Base64.getMimeDecoder().decode(pem.substring(begin + BEGIN.length(), end));
            return new SignedModelVerifier(
                    bundle, KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der)), List.of());
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new InvalidOptionException(
                    "Option 'signature-key' is " + publicKey
                            + ", which holds no public key on an elliptic curve in PEM; check the file.",
                    e);
        }
    }

    /**
     * Trusts certificates that these authorities issued, whoever they are of: use an authority of your own.
     *
     * @param bundle the signature's file
     * @param certificates a file with the authorities' certificates, PEM
     * @throws InvalidOptionException if it holds none
     */
    public static SignedModelVerifier withAuthorities(Path bundle, Path certificates) {
        try (InputStream in = Files.newInputStream(certificates)) {
            List<X509Certificate> authorities =
                    CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
                            .map(X509Certificate.class::cast)
                            .toList();
            if (authorities.isEmpty()) {
                throw new InvalidOptionException("Option 'signature-certificates' is " + certificates
                        + ", which holds no certificate; check the file.");
            }
            return new SignedModelVerifier(bundle, null, authorities);
        } catch (IOException | CertificateException e) {
            throw new InvalidOptionException(
                    "Option 'signature-certificates' is " + certificates
                            + ", which holds no certificates in PEM; check the file.",
                    e);
        }
    }

    /** Why a model is refused: the rest of a sentence. */
    private static final class Refusal extends Exception {
        Refusal(String reason) {
            super(reason);
        }
    }

    @Override
    public ModelVerdict verify(Path model) {
        try {
            Map<String, String> signed = resources(payload());
            for (Path part : ModelDigest.parts(model)) {
                String name = name(part, signed);
                String found = digest(part);
                if (!found.equals(signed.get(name))) {
                    throw new Refusal("names the SHA-256 " + signed.get(name) + " for " + part.getFileName()
                            + ", which has " + found + "; the model was changed or is another one");
                }
            }
            return ModelVerdict.ACCEPTED;
        } catch (Refusal e) {
            return ModelVerdict.refused("Signature " + bundle.getFileName() + " " + e.getMessage() + ".");
        } catch (IOException | JacksonException | IllegalArgumentException e) {
            return ModelVerdict.refused("Signature " + bundle.getFileName()
                    + " cannot be read as a Sigstore bundle; check that it is one and complete.");
        } catch (GeneralSecurityException e) {
            return ModelVerdict.refused("Signature " + bundle.getFileName() + " was not made by a trusted key ("
                    + e.getClass().getSimpleName() + ").");
        }
    }

    /** What was signed, once its signature holds. */
    private JsonNode payload() throws IOException, GeneralSecurityException, Refusal {
        if (Files.size(bundle) > MOST_BYTES) {
            throw new Refusal("has more than " + MOST_BYTES + " bytes");
        }
        JsonNode root = JsonMapper.shared().readTree(Files.readAllBytes(bundle));
        JsonNode envelope = root.path("dsseEnvelope");
        String type = envelope.path("payloadType").asString("");
        JsonNode signatures = envelope.path("signatures");
        if (!type.equals(PAYLOAD_TYPE) || signatures.size() != 1) {
            throw new Refusal("has no DSSE envelope of the type " + PAYLOAD_TYPE + " with one signature");
        }
        byte[] payload = Base64.getDecoder().decode(envelope.path("payload").asString(""));
        byte[] given = Base64.getDecoder().decode(signatures.path(0).path("sig").asString(""));
        PublicKey signer = key != null ? key : certified(root.path("verificationMaterial"));
        Signature signature = Signature.getInstance(algorithm(signer));
        signature.initVerify(signer);
        signature.update(
                ("DSSEv1 " + type.length() + " " + type + " " + payload.length + " ").getBytes(StandardCharsets.UTF_8));
        signature.update(payload);
        if (!signature.verify(given)) {
            throw new Refusal("does not hold: it was changed, or made by another key");
        }
        return JsonMapper.shared().readTree(payload);
    }

    private static String algorithm(PublicKey key) throws Refusal {
        int bits = key instanceof ECPublicKey ec ? ec.getParams().getOrder().bitLength() : 0;
        return switch (bits) {
            case 256 -> "SHA256withECDSA";
            case 384 -> "SHA384withECDSA";
            case 521 -> "SHA512withECDSA";
            default -> throw new Refusal("is by a key that is not on P-256, P-384 or P-521");
        };
    }

    /** The key of the certificate that signed, as of the day when it became valid. */
    private PublicKey certified(JsonNode material) throws GeneralSecurityException, Refusal {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List<X509Certificate> chain = new ArrayList<>();
        JsonNode given = material.path("x509CertificateChain").path("certificates");
        for (JsonNode each : given.isArray() ? given : List.of(material.path("certificate"))) {
            byte[] der = Base64.getDecoder().decode(each.path("rawBytes").asString(""));
            X509Certificate certificate = (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der));
            if (!authorities.contains(certificate)) {
                chain.add(certificate);
            }
        }
        if (chain.isEmpty() || chain.size() > 8) {
            throw new Refusal("has no certificate of a signer");
        }
        X509Certificate signer = chain.getFirst();
        boolean[] usage = signer.getKeyUsage();
        List<String> extended = signer.getExtendedKeyUsage();
        if (!(usage != null && usage[0]) && !(extended != null && extended.contains(CODE_SIGNING))) {
            throw new Refusal("is by a certificate that is not for signing");
        }
        PKIXParameters parameters = new PKIXParameters(authorities.stream()
                .map(authority -> new TrustAnchor(authority, null))
                .collect(Collectors.toSet()));
        parameters.setRevocationEnabled(false);
        parameters.setDate(signer.getNotBefore());
        CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(chain), parameters);
        return signer.getPublicKey();
    }

    /** Names of the signed files with their SHA-256. */
    private static Map<String, String> resources(JsonNode statement) throws GeneralSecurityException, Refusal {
        if (!statement.path("_type").asString("").equals(STATEMENT_TYPE)
                || !statement.path("predicateType").asString("").equals(PREDICATE_TYPE)
                || statement.path("subject").size() != 1) {
            throw new Refusal("is about no model in the format " + PREDICATE_TYPE);
        }
        JsonNode predicate = statement.path("predicate");
        JsonNode serialization = predicate.path("serialization");
        if (!serialization.path("method").asString("").equals("files")
                || !serialization.path("hash_type").asString("").equals("sha256")) {
            throw new Refusal("is not over whole files and SHA-256; sign the model so");
        }
        MessageDigest all = MessageDigest.getInstance("SHA-256");
        Map<String, String> files = new HashMap<>();
        for (JsonNode resource : predicate.path("resources")) {
            String digest = resource.path("digest").asString("");
            all.update(HexFormat.of().parseHex(digest));
            boolean first = files.put(resource.path("name").asString(""), digest) == null;
            if (!first || !resource.path("algorithm").asString("").equals("sha256")) {
                throw new Refusal("names a file twice, or with another digest than SHA-256");
            }
        }
        String expected =
                statement.path("subject").path(0).path("digest").path("sha256").asString("");
        if (!HexFormat.of().formatHex(all.digest()).equals(expected)) {
            throw new Refusal("is inconsistent: its files do not add up to the digest of its subject");
        }
        return files;
    }

    /** A file's name in the list: its path from the signature's folder on, its own name, or a dot where it was signed alone. */
    private String name(Path file, Map<String, String> signed) throws Refusal {
        Path folder = bundle.toAbsolutePath().normalize().getParent();
        Path absolute = file.toAbsolutePath().normalize();
        List<String> names = new ArrayList<>();
        if (folder != null && absolute.startsWith(folder)) {
            names.add(folder.relativize(absolute).toString().replace('\\', '/'));
        }
        names.add(String.valueOf(file.getFileName()));
        if (signed.size() == 1) {
            names.add(".");
        }
        for (String name : names) {
            if (signed.containsKey(name)) {
                return name;
            }
        }
        throw new Refusal("does not name " + file.getFileName());
    }

    private static String digest(Path file) throws IOException, GeneralSecurityException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] buffer = new byte[1 << 20];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
