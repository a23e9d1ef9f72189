package org.bloomery.example.production;

import java.util.List;
import java.util.Map;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Who may log in. A tenant is an account: its name is what audit records and rate limits are kept by.
 *
 * @param accounts by name
 */
@ConfigurationProperties("example")
record Accounts(@DefaultValue Map<String, Account> accounts) {

    /**
     * @param keySha256 SHA-256 of the key that it logs in with, in hexadecimal digits as {@code sha256sum} writes them
     * @param roles CHAT to ask, METRICS to scrape
     */
    record Account(String keySha256, @DefaultValue List<String> roles) {

        /** Leaves the key out. */
        @Override
        public String toString() {
            return "Account[roles=" + roles + "]";
        }
    }
}
