package org.bloomery.example.production;

import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import org.bloomery.engine.EngineException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** Tells failures as problem details: 429 and 503 with the time after which to ask again. */
@RestControllerAdvice
class Refusals {

    private static final Logger log = LoggerFactory.getLogger(Refusals.class);

    /** Also finds these as causes of what advisors made of them. */
    @ExceptionHandler({EngineException.class, RequestNotPermitted.class})
    ResponseEntity<ProblemDetail> refused(Exception error) {
        Refusal refusal = Refusal.of(error);
        if (refusal.status() == HttpStatus.INTERNAL_SERVER_ERROR) {
            log.error("A request failed", error);
        }
        ResponseEntity.BodyBuilder response = ResponseEntity.status(refusal.status());
        if (refusal.retryAfterSeconds() > 0) {
            response.header(HttpHeaders.RETRY_AFTER, Integer.toString(refusal.retryAfterSeconds()));
        }
        return response.body(ProblemDetail.forStatusAndDetail(refusal.status(), refusal.message()));
    }
}
