package org.bloomery.spring.autoconfigure;

import java.nio.file.Path;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.audit.FsyncPolicy;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The record of every request.
 *
 * @param enabled Whether records are kept in a file. Audit events are published wherever there is an AuditEventRepository.
 * @param file The audit file, in a folder that is there. Needed where records are kept in a file.
 * @param fsync When records are forced to the disk: always before a request is answered, interval for once a second, or
 *     never.
 * @param content Whether records have prompts and answers themselves. Otherwise they have their length and an HMAC.
 * @param hmacKey Key of the HMACs, at least 16 characters. Unless set, every start has a random one, and HMACs can be
 *     compared within one run only.
 * @param failClosed Whether a request whose record cannot be kept fails.
 */
@ConfigurationProperties(BloomeryAuditProperties.PREFIX)
public record BloomeryAuditProperties(
        @DefaultValue("false") boolean enabled,
        @Nullable Path file,
        @DefaultValue("always") FsyncPolicy fsync,
        @DefaultValue("false") boolean content,
        @Nullable String hmacKey,
        @DefaultValue("true") boolean failClosed) {

    static final String PREFIX = "bloomery.audit";

    /** @throws InvalidOptionException naming the property, its value and its range */
    public BloomeryAuditProperties {
        if (enabled && file == null) {
            throw new InvalidOptionException("Property '" + PREFIX
                    + ".file' is not set; records are kept in a file, so name one in a folder that is there.");
        }
        if (hmacKey != null && hmacKey.length() < 16) {
            throw new InvalidOptionException("Property '" + PREFIX + ".hmac-key' has " + hmacKey.length()
                    + " characters; it must have at least 16.");
        }
    }

    /** Leaves the key out. */
    @Override
    public String toString() {
        return "BloomeryAuditProperties[enabled=" + enabled + ", file=" + file + ", fsync=" + fsync + ", content="
                + content + ", failClosed=" + failClosed + "]";
    }
}
