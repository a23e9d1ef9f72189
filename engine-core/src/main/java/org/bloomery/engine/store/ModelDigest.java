package org.bloomery.engine.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.ModelNotFoundException;

/**
 * What tells one model's bytes from another's. A split model's digest is that of its parts one after the other, as
 * {@code cat PARTS | sha256sum} computes it.
 *
 * @param sha256 SHA-256 in lower-case hexadecimal
 * @param bytes how many bytes it is of
 */
public record ModelDigest(String sha256, long bytes) {

    private static final Pattern PART = Pattern.compile("(.*)-00001-of-([0-9]{5})\\.gguf", Pattern.DOTALL);
    private static final int MOST_PARTS = 1000;

    /**
     * Reads a model's file, or all parts of it.
     *
     * @param file the file, or the first part
     * @throws ModelNotFoundException if a part cannot be read
     */
    public static ModelDigest of(Path file) {
        return ofParts(parts(file));
    }

    /**
     * Reads the files of a model one after the other. An interrupt gives it up.
     *
     * @throws ModelNotFoundException if one cannot be read
     */
    public static ModelDigest ofParts(List<Path> parts) {
        byte[] buffer = new byte[1 << 20];
        long bytes = 0;
        MessageDigest digest = newDigest();
        for (Path part : parts) {
            try (InputStream in = Files.newInputStream(part)) {
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    digest.update(buffer, 0, n);
                    bytes += n;
                }
            } catch (IOException e) {
                throw new ModelNotFoundException(
                        "Model file " + part.getFileName() + " cannot be read (" + e.getMessage()
                                + "); check that it is there and readable.",
                        e);
            }
        }
        return new ModelDigest(HexFormat.of().formatHex(digest.digest()), bytes);
    }

    /** The file alone, or all parts of a split model whose first part it is. */
    public static List<Path> parts(Path file) {
        Matcher first = PART.matcher(String.valueOf(file.getFileName()));
        if (!first.matches()) {
            return List.of(file);
        }
        int count = Math.min(MOST_PARTS, Integer.parseInt(first.group(2)));
        List<Path> parts = new ArrayList<>();
        parts.add(file);
        for (int i = 2; i <= count; i++) {
            parts.add(file.resolveSibling(
                    String.format(Locale.ROOT, "%s-%05d-of-%s.gguf", first.group(1), i, first.group(2))));
        }
        return parts;
    }

    private static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new EngineException("This JVM has no SHA-256, which every JVM must have.", e);
        }
    }
}
