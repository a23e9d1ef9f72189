package org.bloomery.spring.security;

import java.nio.file.Path;
import java.util.Locale;
import org.bloomery.engine.store.ModelDigest;

/**
 * Accepts the one model with this SHA-256. A split model's is that of its parts one after the other.
 *
 * @param sha256 64 hexadecimal digits
 */
public record PinnedDigestVerifier(String sha256) implements ModelVerifier {

    public PinnedDigestVerifier {
        sha256 = sha256.toLowerCase(Locale.ROOT);
    }

    @Override
    public ModelVerdict verify(Path model) {
        String found = ModelDigest.of(model).sha256();
        return found.equals(sha256)
                ? ModelVerdict.ACCEPTED
                : ModelVerdict.refused("Model file " + model.getFileName() + " has the SHA-256 " + found + ", but "
                        + sha256 + " is pinned; it was changed or is another model.");
    }
}
