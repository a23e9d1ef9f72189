package org.bloomery.spring.admission;

import org.bloomery.engine.Caller.Priority;
import org.bloomery.engine.InvalidOptionException;

/**
 * What one tenant may use. Zero is no limit.
 *
 * @param tokensPerMinute tokens of prompts and answers; as many may be used at once after a minute without any
 * @param concurrentRequests requests that wait or run at the same time
 * @param maxPromptTokens tokens of one prompt
 * @param priority whose turn it is among the requests that wait
 */
public record TenantLimits(long tokensPerMinute, int concurrentRequests, int maxPromptTokens, Priority priority) {

    /** No limits. */
    public static final TenantLimits NONE = new TenantLimits(0, 0, 0, Priority.NORMAL);

    /** @throws InvalidOptionException naming the option, its value and its range */
    public TenantLimits {
        notNegative("tokens-per-minute", tokensPerMinute);
        notNegative("concurrent-requests", concurrentRequests);
        notNegative("max-prompt-tokens", maxPromptTokens);
    }

    private static void notNegative(String option, long value) {
        if (value < 0) {
            throw new InvalidOptionException(
                    "Option '" + option + "' is " + value + "; it must be 0 for no limit, or positive.");
        }
    }

    /** Whether requests have to be counted. */
    boolean counted() {
        return tokensPerMinute > 0 || concurrentRequests > 0;
    }

    /** Whether a prompt has to be tokenized before it is known to be allowed. */
    boolean needsPromptTokens() {
        return tokensPerMinute > 0 || maxPromptTokens > 0;
    }
}
