package org.bloomery.engine.format;

import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The name of one part of a split model, {@code PREFIX-00001-of-00003.gguf}. Mirrors {@code llama_split_path} and
 * {@code llama_split_prefix}.
 *
 * @param prefix what all parts' names begin with
 * @param part index of the part, from 0
 * @param count number of parts
 */
record SplitName(String prefix, int part, int count) {

    private static final Pattern NAME = Pattern.compile("(.+)-([0-9]{5})-of-([0-9]{5})\\.gguf");

    /** The parts of this name, or null where it is no part's name. */
    static @Nullable SplitName of(String fileName) {
        Matcher matcher = NAME.matcher(fileName);
        if (!matcher.matches()) {
            return null;
        }
        return new SplitName(
                matcher.group(1), Integer.parseInt(matcher.group(2)) - 1, Integer.parseInt(matcher.group(3)));
    }

    /** The same model's part of this index. */
    SplitName part(int index) {
        return new SplitName(prefix, index, count);
    }

    Path beside(Path file) {
        return file.resolveSibling(toString());
    }

    /** The file name. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", prefix, part + 1, count);
    }
}
