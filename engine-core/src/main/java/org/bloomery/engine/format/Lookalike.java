package org.bloomery.engine.format;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Tells what a file is that was taken for a model, by its first bytes. */
final class Lookalike {

    /** How many of the first bytes are looked at. */
    static final int BYTES = 64;

    private Lookalike() {}

    /** What the file seems to be and what to do, to follow a colon. */
    static String describe(byte[] beginning) {
        String text = new String(beginning, StandardCharsets.ISO_8859_1);
        String lower = text.stripLeading().toLowerCase(Locale.ROOT);
        if (lower.startsWith("<!doctype") || lower.startsWith("<html") || lower.startsWith("<?xml")) {
            return "it is an HTML or XML page, perhaps a download's error page; download the model again";
        }
        if (text.startsWith("version https://git-lfs")) {
            return "it is a Git LFS pointer, not the model itself; fetch the model with 'git lfs pull'";
        }
        if (text.startsWith("FUGG")) {
            return "its magic number is in big-endian order; only little-endian files are read";
        }
        if (text.startsWith("lmgg") || text.startsWith("fmgg") || text.startsWith("tjgg") || text.startsWith("algg")) {
            return "it is a ggml file from before GGUF; convert the original model again";
        }
        if (text.startsWith("PK\3\4") || text.startsWith("PK\5\6")) {
            return "it is a ZIP archive, such as a PyTorch checkpoint; convert the model to GGUF";
        }
        if (text.startsWith("\u001f\u008b")) {
            return "it is compressed with gzip; unpack it first";
        }
        if (text.startsWith("\u0080") && text.length() > 1 && text.charAt(1) <= 5) {
            return "it is a Python pickle; pickles are never read, so convert the model to GGUF";
        }
        if (beginning.length > Long.BYTES && text.charAt(Long.BYTES) == '{' && isSafetensorsLength(beginning)) {
            return "it is a safetensors file; convert the model to GGUF";
        }
        if (lower.startsWith("{")) {
            return "it is JSON, perhaps a model's configuration; name the GGUF file instead";
        }
        for (byte b : beginning) {
            if (b != 0) {
                return "it is no model file that this version knows; expected a GGUF file";
            }
        }
        return "it begins with zeros, perhaps an unfinished download; download the model again";
    }

    /** Whether the first eight bytes are a length that safetensors allows for its JSON header, at most 100 MB. */
    private static boolean isSafetensorsLength(byte[] beginning) {
        return beginning[7] == 0 && beginning[6] == 0 && beginning[5] == 0 && beginning[4] == 0 && beginning[3] <= 6;
    }
}
