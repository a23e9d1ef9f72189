package org.bloomery.spring.autoconfigure;

import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bloomery.engine.InvalidOptionException;

/** Says which property an engine's complaint about an option is about: an option is called as the end of its key. */
final class OptionNames {

    private static final Pattern OPTION = Pattern.compile("Option '([a-z-]+)'");

    private OptionNames() {}

    /** @throws InvalidOptionException naming the property where the work complains of an option */
    static <T> T under(String prefix, Supplier<T> work) {
        try {
            return work.get();
        } catch (InvalidOptionException e) {
            Matcher option = OPTION.matcher(String.valueOf(e.getMessage()));
            String message = option.find()
                    ? option.replaceAll("Property '" + Matcher.quoteReplacement(prefix) + ".$1'")
                    : "A property under '" + prefix + "': " + e.getMessage();
            throw new InvalidOptionException(message, e);
        }
    }
}
