package org.bloomery.spring.security;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.chat.ChatMessage;

/**
 * Takes characters out of prompts that nobody sees and a model reads: zero-width spaces and joiners, marks of writing
 * direction, soft hyphens, tag characters and other format characters. Emoji that are joined of several fall apart, and so
 * do words of scripts that need joiners, such as Persian. With NFKC, look-alikes such as full-width letters become the
 * ordinary ones.
 */
public final class InvisibleCharacterGuard implements PromptGuard, Bounded {

    /** Characters that are normalized together, at least. */
    private static final int PIECE = 512;

    private final boolean nfkc;

    /** @param nfkc whether texts are also brought into Unicode's normalization form KC */
    public InvisibleCharacterGuard(boolean nfkc) {
        this.nfkc = nfkc;
    }

    @Override
    public String name() {
        return "invisible-characters";
    }

    @Override
    public Verdict check(ChatMessage.Role role, String text) {
        List<Verdict.Replacement> replacements = new ArrayList<>();
        int i = 0;
        while (i < text.length()) {
            int c = text.codePointAt(i);
            int length = Character.charCount(c);
            if (isInvisible(c)) {
                replacements.add(new Verdict.Replacement(i, i + length, ""));
            }
            i += length;
        }
        if (!nfkc) {
            return Verdict.redact("invisible-characters", replacements);
        }
        String visible = Verdict.apply(text, replacements);
        String normal = normalized(visible);
        return normal.equals(text) ? Verdict.ALLOW : Verdict.redact("invisible-characters", text, normal);
    }

    /**
     * The text in form KC, piece by piece: Java sorts a run of combining marks by insertion, which takes time in proportion
     * to the square of its length. A piece ends before a character that nothing combines with; only where there is none for
     * long, before any.
     */
    private static String normalized(String text) {
        StringBuilder normal = new StringBuilder(text.length());
        int from = 0;
        while (from < text.length()) {
            int to = pieceEnd(text, from);
            normal.append(Normalizer.normalize(text.substring(from, to), Normalizer.Form.NFKC));
            from = to;
        }
        return normal.toString();
    }

    private static int pieceEnd(String text, int from) {
        int end = Math.min(text.length(), from + PIECE);
        int latest = Math.min(text.length(), from + 2 * PIECE);
        while (end < latest && !standsAlone(text.codePointAt(end))) {
            end++;
        }
        return end < text.length() && Character.isLowSurrogate(text.charAt(end)) ? end + 1 : end;
    }

    private static boolean standsAlone(int c) {
        return c < 0x80 || Character.isIdeographic(c);
    }

    private static boolean isInvisible(int c) {
        return Character.getType(c) == Character.FORMAT
                || (c >= 0xE0000 && c <= 0xE0FFF)
                || (c >= 0xFE00 && c <= 0xFE0F)
                || c == 0x034F
                || c == 0x115F
                || c == 0x1160
                || c == 0x3164
                || c == 0xFFA0;
    }
}
