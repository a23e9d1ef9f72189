package org.bloomery.spring.autoconfigure;

import java.util.HashMap;
import java.util.Map;
import org.bloomery.engine.Caller.Priority;
import org.bloomery.engine.EngineOptions;
import org.bloomery.spring.admission.TenantLimits;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How many requests are taken, and whose.
 *
 * @param queueTokens Tokens that the prompts of waiting requests may have together. Further requests are refused. 0 for no
 *     limit but that of bloomery.engine.queue-capacity.
 * @param tokensPerMinute Tokens of prompts and answers that a tenant may use in a minute. 0 for no limit.
 * @param concurrentRequests Requests that a tenant may have waiting or running at the same time. 0 for no limit.
 * @param maxPromptTokens Tokens that a tenant's prompt may have. 0 for no limit but the context.
 * @param priority Whose turn it is among waiting requests: low, normal or high. A request rises by one every ten seconds.
 * @param tenants Limits of single tenants by name, in place of the ones above: tokens-per-minute, concurrent-requests,
 *     max-prompt-tokens and priority.
 */
@ConfigurationProperties(BloomeryAdmissionProperties.PREFIX)
public record BloomeryAdmissionProperties(
        @DefaultValue("0") long queueTokens,
        @DefaultValue("0") long tokensPerMinute,
        @DefaultValue("0") int concurrentRequests,
        @DefaultValue("0") int maxPromptTokens,
        @DefaultValue("normal") Priority priority,
        @DefaultValue Map<String, Tenant> tenants) {

    static final String PREFIX = "bloomery.admission";

    /**
     * Limits of one tenant. What is not set is as for everybody.
     *
     * @param tokensPerMinute tokens of prompts and answers in a minute, 0 for no limit
     * @param concurrentRequests requests at the same time, 0 for no limit
     * @param maxPromptTokens tokens of a prompt, 0 for no limit
     * @param priority whose turn it is
     */
    public record Tenant(
            @Nullable Long tokensPerMinute,
            @Nullable Integer concurrentRequests,
            @Nullable Integer maxPromptTokens,
            @Nullable Priority priority) {}

    /**
     * The options with the limit on the queue.
     *
     * @throws org.bloomery.engine.InvalidOptionException naming the property, its value and its range
     */
    EngineOptions limit(EngineOptions options) {
        return OptionNames.under(PREFIX, () -> options.withQueueTokens(queueTokens));
    }

    /**
     * Limits of a tenant without its own.
     *
     * @throws org.bloomery.engine.InvalidOptionException naming the property, its value and its range
     */
    TenantLimits limits() {
        return OptionNames.under(
                PREFIX, () -> new TenantLimits(tokensPerMinute, concurrentRequests, maxPromptTokens, priority));
    }

    /**
     * Limits by tenant.
     *
     * @throws org.bloomery.engine.InvalidOptionException naming the property, its value and its range
     */
    Map<String, TenantLimits> tenantLimits() {
        Map<String, TenantLimits> limits = new HashMap<>();
        tenants.forEach((name, own) -> limits.put(
                name,
                OptionNames.under(
                        PREFIX + ".tenants." + name,
                        () -> new TenantLimits(
                                own.tokensPerMinute() != null ? own.tokensPerMinute() : tokensPerMinute,
                                own.concurrentRequests() != null ? own.concurrentRequests() : concurrentRequests,
                                own.maxPromptTokens() != null ? own.maxPromptTokens() : maxPromptTokens,
                                own.priority() != null ? own.priority() : priority))));
        return limits;
    }
}
