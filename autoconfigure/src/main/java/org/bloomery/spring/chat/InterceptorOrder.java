package org.bloomery.spring.chat;

import org.springframework.core.Ordered;

/** Where each {@link GenerationInterceptor} of ours stands: the smallest is outermost. Put your own in between. */
public final class InterceptorOrder {

    /** Whether the caller may ask at all. */
    public static final int AUTHORIZATION = Ordered.HIGHEST_PRECEDENCE + 1000;

    /** Whether there is room for the request. */
    public static final int ADMISSION = Ordered.HIGHEST_PRECEDENCE + 3000;

    /** Whether the tools that an answer calls may be called. */
    public static final int TOOL_CALLS = Ordered.HIGHEST_PRECEDENCE + 4000;

    /** What prompts and answers say. */
    public static final int GUARDS = Ordered.HIGHEST_PRECEDENCE + 5000;

    /** Whether another model answers what this engine does not: it sees what guards have let through. */
    public static final int OVERFLOW = Ordered.HIGHEST_PRECEDENCE + 6000;

    /** Whether the engine gets the request, as circuit breaker, rate limiter, time limiter and bulkhead say. */
    public static final int RESILIENCE = Ordered.HIGHEST_PRECEDENCE + 7000;

    private InterceptorOrder() {}
}
