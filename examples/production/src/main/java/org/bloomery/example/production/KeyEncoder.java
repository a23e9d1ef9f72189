package org.bloomery.example.production;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.springframework.security.crypto.password.AbstractValidatingPasswordEncoder;

/**
 * Keeps keys as their SHA-256 in hexadecimal. A key is random and long, so nobody finds it by trying, and one round is enough;
 * a password that people choose needs bcrypt, which takes as long as many tokens do and is paid for by every request, refused
 * ones too: under overload that is most of what the machine would do.
 */
final class KeyEncoder extends AbstractValidatingPasswordEncoder {

    @Override
    protected String encodeNonNullPassword(String key) {
        return HexFormat.of().formatHex(digest(key));
    }

    /** Takes the same time wherever the two differ. */
    @Override
    protected boolean matchesNonNull(String key, String encoded) {
        return MessageDigest.isEqual(
                encodeNonNullPassword(key).getBytes(StandardCharsets.US_ASCII),
                encoded.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] digest(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java runtime has SHA-256.", e);
        }
    }
}
