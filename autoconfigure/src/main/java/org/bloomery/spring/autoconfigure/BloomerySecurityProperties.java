package org.bloomery.spring.autoconfigure;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.spring.security.ChatTemplatePolicy;
import org.bloomery.spring.security.ListedModels;
import org.bloomery.spring.security.ModelAdmissionPolicy;
import org.bloomery.spring.security.ModelChecks;
import org.bloomery.spring.security.ModelVerifier;
import org.bloomery.spring.security.PinnedDigestVerifier;
import org.bloomery.spring.security.SignedModelVerifier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Which models may be loaded.
 *
 * @param strict Whether a model is only loaded where its SHA-256 is pinned or it is signed.
 * @param modelSha256 SHA-256 that the model file must have; of a split model that of its parts one after the other.
 * @param modelSignature Signature in the format of OpenSSF Model Signing 1.0 that the model must have. Needs a key or
 *     certificates.
 * @param signatureKey File with the public key in PEM that the signature must be by.
 * @param signatureCertificates File with certificates in PEM of the authorities that signers must be certified by.
 * @param architectures Architectures that may be loaded. Unless set, all.
 * @param quantizations Tensor types that a model may have, such as Q8_0 and F32. Unless set, all.
 * @param maxModelSize Most bytes that a model may have. Unless set, any number.
 * @param privateLocation Whether a model is refused whose file or folder others than its owner may write.
 * @param chatTemplate Where the chat template comes from: embedded for the model or the configuration, pinned for one with
 *     a known SHA-256, override for the configuration alone.
 * @param chatTemplateSha256 SHA-256 of the pinned chat template.
 */
@ConfigurationProperties(BloomerySecurityProperties.PREFIX)
public record BloomerySecurityProperties(
        @DefaultValue("false") boolean strict,
        @Nullable String modelSha256,
        @Nullable Path modelSignature,
        @Nullable Path signatureKey,
        @Nullable Path signatureCertificates,
        @DefaultValue List<String> architectures,
        @DefaultValue List<String> quantizations,
        @Nullable DataSize maxModelSize,
        @DefaultValue("false") boolean privateLocation,
        @DefaultValue("embedded") ChatTemplatePolicy.Source chatTemplate,
        @Nullable String chatTemplateSha256) {

    static final String PREFIX = "bloomery.security";

    /** @throws InvalidOptionException naming the property, its value and its range */
    public BloomerySecurityProperties {
        digest("model-sha256", modelSha256);
        digest("chat-template-sha256", chatTemplateSha256);
        int trusted = (signatureKey == null ? 0 : 1) + (signatureCertificates == null ? 0 : 1);
        if (trusted != (modelSignature == null ? 0 : 1)) {
            throw new InvalidOptionException("Property '" + PREFIX + ".model-signature' is "
                    + (modelSignature == null ? "not set" : "set") + ", and " + trusted + " of '" + PREFIX
                    + ".signature-key' and '" + PREFIX
                    + ".signature-certificates' are; set the signature and exactly one of them.");
        }
        if ((chatTemplate == ChatTemplatePolicy.Source.PINNED) != (chatTemplateSha256 != null)) {
            throw new InvalidOptionException("Property '" + PREFIX + ".chat-template' is '"
                    + chatTemplate.name().toLowerCase(Locale.ROOT) + "', and '" + PREFIX
                    + ".chat-template-sha256' is " + (chatTemplateSha256 == null ? "not set" : "set")
                    + "; a pinned template has a SHA-256, and no other one has.");
        }
    }

    /** Everything that is asked about a model, these beans and these properties together. */
    ModelChecks checks(List<ModelVerifier> verifiers, List<ModelAdmissionPolicy> policies) {
        List<ModelVerifier> allVerifiers = new ArrayList<>(verifiers);
        if (modelSha256 != null) {
            allVerifiers.add(new PinnedDigestVerifier(modelSha256));
        }
        if (modelSignature != null) {
            Path signature = modelSignature;
            allVerifiers.add(OptionNames.under(
                    PREFIX,
                    () -> signatureKey != null
                            ? SignedModelVerifier.withKey(signature, signatureKey)
                            : SignedModelVerifier.withAuthorities(
                                    signature, Objects.requireNonNull(signatureCertificates))));
        }
        List<ModelAdmissionPolicy> allPolicies = new ArrayList<>(policies);
        if (!architectures.isEmpty() || !quantizations.isEmpty() || maxModelSize != null || privateLocation) {
            allPolicies.add(new ListedModels(
                    architectures,
                    quantizations,
                    maxModelSize == null ? null : maxModelSize.toBytes(),
                    privateLocation));
        }
        return new ModelChecks(
                allVerifiers, allPolicies, new ChatTemplatePolicy(chatTemplate, chatTemplateSha256), strict);
    }

    private static void digest(String property, @Nullable String value) {
        if (value != null && !value.matches("[0-9a-fA-F]{64}")) {
            throw new InvalidOptionException("Property '" + PREFIX + "." + property + "' has " + value.length()
                    + " characters; a SHA-256 has 64 hexadecimal digits.");
        }
    }
}
