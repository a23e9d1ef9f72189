/**
 * Resilience4j around the engine. Each of its four kinds is an interceptor of its own, so that each needs only its own
 * library: the circuit breaker outermost, then rate limiter, time limiter and bulkhead. They stand behind the guards, so
 * what a guard refuses takes no permit, and a permit is given back when the engine is done with a request, for calls and
 * streams alike.
 *
 * <p>A refusal is an {@link org.bloomery.engine.EngineOverloadedException} that names the instance. Waiting for a permit, as
 * far as an instance is configured to wait, happens on the caller's thread of a call and on a virtual thread for a stream.
 */
@NullMarked
package org.bloomery.spring.resilience;

import org.jspecify.annotations.NullMarked;
