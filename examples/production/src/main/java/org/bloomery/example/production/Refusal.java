package org.bloomery.example.production;

import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.spring.security.PromptBlockedException;
import org.springframework.http.HttpStatus;

/**
 * A failure as HTTP tells it. The engine's own messages are sentences made to be read, and never hold text of a prompt.
 *
 * @param retryAfterSeconds when to ask again, 0 where asking again does not help
 */
record Refusal(HttpStatus status, String message, int retryAfterSeconds) {

    private static final int SOON = 1;
    private static final int LATER = 10;

    /** The first cause that is known: advisors wrap what goes through them. */
    static Refusal of(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            switch (cause) {
                case EngineOverloadedException overloaded -> {
                    boolean own = overloaded.reason() == EngineOverloadedException.Reason.TENANT_BUDGET;
                    return of(own ? HttpStatus.TOO_MANY_REQUESTS : HttpStatus.SERVICE_UNAVAILABLE, overloaded, (int)
                            overloaded.retryAfter().toSeconds());
                }
                case RequestNotPermitted tooOften -> {
                    return new Refusal(
                            HttpStatus.TOO_MANY_REQUESTS, "This account has asked too often; ask again later.", SOON);
                }
                case EngineClosedException closed -> {
                    return of(HttpStatus.SERVICE_UNAVAILABLE, closed, LATER);
                }
                case EngineUnavailableException unavailable -> {
                    return of(HttpStatus.SERVICE_UNAVAILABLE, unavailable, LATER);
                }
                case BackendLostException lost -> {
                    return of(HttpStatus.SERVICE_UNAVAILABLE, lost, LATER);
                }
                case ContextLengthExceededException tooLong -> {
                    return of(HttpStatus.CONTENT_TOO_LARGE, tooLong, 0);
                }
                case PromptBlockedException blocked -> {
                    boolean late = blocked.reason().equals("guard-timeout");
                    return late
                            ? of(HttpStatus.SERVICE_UNAVAILABLE, blocked, LATER)
                            : of(HttpStatus.UNPROCESSABLE_CONTENT, blocked, 0);
                }
                default -> {}
            }
        }
        return new Refusal(HttpStatus.INTERNAL_SERVER_ERROR, "This answer failed; the application's log says why.", 0);
    }

    private static Refusal of(HttpStatus status, EngineException error, int retryAfterSeconds) {
        return new Refusal(status, String.valueOf(error.getMessage()), retryAfterSeconds);
    }
}
