package org.bloomery.spring.autoconfigure;

import java.util.Set;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.spring.overflow.OverflowReason;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Another chat model that answers what the engine does not.
 *
 * @param model Name of the ChatModel bean that answers instead. Unless set, none does.
 * @param when Why a request overflows: refused where there is no room, unavailable where the engine or its backend is gone,
 *     too-large where the context does not hold it. Unless set, all three.
 * @param policy Which requests may leave this process: none, all, or the name of an OverflowPolicy bean that decides.
 */
@ConfigurationProperties(BloomeryOverflowProperties.PREFIX)
public record BloomeryOverflowProperties(
        @Nullable String model,

        @DefaultValue({"refused", "unavailable", "too-large"})
        Set<OverflowReason> when,

        @DefaultValue("none") String policy) {

    static final String PREFIX = "bloomery.overflow";

    /** @throws InvalidOptionException if there is no reason for which a request overflows */
    public BloomeryOverflowProperties {
        if (when.isEmpty()) {
            throw new InvalidOptionException("Property '" + PREFIX + ".when' is empty; name at least one of refused,"
                    + " unavailable and too-large, or leave it out for all.");
        }
    }
}
