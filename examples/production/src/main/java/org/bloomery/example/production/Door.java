package org.bloomery.example.production;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Lets in as many requests at once as the engine takes, and turns the others away before anything is spent on them. The engine
 * would refuse them too, but only after a login, a look at the body and the way to the model and back, which under overload
 * is time that answers do not get. And virtual threads have no bound of their own: where requests come faster than they can even
 * be refused, as on a machine that has just started, they would pile up in memory.
 *
 * <p>It says 429, not 503: after a 503 Tomcat closes the connection, and the next try would have to open one.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
final class Door extends OncePerRequestFilter {

    private static final String SOON = "1";
    private static final String FULL =
            "{\"title\":\"Too Many Requests\",\"status\":429,\"detail\":\"Too many requests are being"
                    + " served at once; ask again later.\"}";

    private final Semaphore room;
    private final Counter turnedAway;

    /** @param most requests at once */
    Door(@Value("${example.requests-at-once}") int most, MeterRegistry meters) {
        this.room = new Semaphore(most);
        this.turnedAway = Counter.builder("example.door.turned.away")
                .description("Requests that found no room")
                .register(meters);
        Gauge.builder("example.door.inside", room, free -> most - free.availablePermits())
                .description("Requests being served or refused")
                .register(meters);
    }

    /** Probes and metrics are answered whatever else goes on. */
    @Override
    protected boolean shouldNotFilter(HttpServletRequest request) {
        return request.getRequestURI().startsWith("/actuator/");
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        if (!room.tryAcquire()) {
            turnedAway.increment();
            response.setStatus(HttpStatus.TOO_MANY_REQUESTS.value());
            response.setHeader(HttpHeaders.RETRY_AFTER, SOON);
            response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
            response.getWriter().write(FULL);
            return;
        }
        try {
            chain.doFilter(request, response);
        } finally {
            if (request.isAsyncStarted()) {
                request.getAsyncContext().addListener(new Leaving());
            } else {
                room.release();
            }
        }
    }

    /** A response that goes on after its request's thread has left. Its completion comes last, whatever came before. */
    private final class Leaving implements AsyncListener {

        @Override
        public void onComplete(AsyncEvent event) {
            room.release();
        }

        @Override
        public void onTimeout(AsyncEvent event) {}

        @Override
        public void onError(AsyncEvent event) {}

        /** Listeners are forgotten when a request goes on once more. */
        @Override
        public void onStartAsync(AsyncEvent event) {
            event.getAsyncContext().addListener(this);
        }
    }
}
