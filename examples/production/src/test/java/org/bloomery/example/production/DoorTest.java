package org.bloomery.example.production;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

class DoorTest {

    private static final FilterChain ANSWER =
            (request, response) -> response.getWriter().write("answer");

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Door door = new Door(1, meters);

    @Test
    void turnsAwayWhatFindsNoRoom() throws Exception {
        ask(request(), (first, response) -> {
            MockHttpServletResponse second = ask(request(), ANSWER);
            assertThat(second.getStatus()).isEqualTo(429);
            assertThat(second.getHeader("Retry-After")).isEqualTo("1");
            assertThat(second.getContentType()).startsWith("application/problem+json");
            assertThat(second.getContentAsString()).startsWith("{\"title\"").endsWith("}");
        });

        assertThat(ask(request(), ANSWER).getContentAsString()).isEqualTo("answer");
        assertThat(meters.counter("example.door.turned.away").count()).isEqualTo(1);
    }

    @Test
    void probesAlwaysPass() throws Exception {
        ask(request(), (first, response) -> {
            MockHttpServletRequest probe = new MockHttpServletRequest("GET", "/actuator/health/liveness");
            assertThat(ask(probe, ANSWER).getContentAsString()).isEqualTo("answer");
        });
    }

    @Test
    void whatFailsLeavesItsRoom() throws Exception {
        FilterChain failing = (request, response) -> {
            throw new ServletException("failed");
        };
        assertThatThrownBy(() -> ask(request(), failing)).isInstanceOf(ServletException.class);

        assertThat(ask(request(), ANSWER).getStatus()).isEqualTo(200);
    }

    @Test
    void aStreamHasItsRoomUntilItIsComplete() throws Exception {
        MockHttpServletRequest stream = request();
        stream.setAsyncSupported(true);
        AsyncContext[] started = new AsyncContext[1];
        ask(stream, (request, response) -> started[0] = request.startAsync());
        assertThat(ask(request(), ANSWER).getStatus()).isEqualTo(429);
        assertThat(meters.get("example.door.inside").gauge().value()).isEqualTo(1);

        started[0].complete();
        assertThat(ask(request(), ANSWER).getStatus()).isEqualTo(200);
        assertThat(meters.get("example.door.inside").gauge().value()).isZero();
    }

    private MockHttpServletResponse ask(MockHttpServletRequest request, FilterChain chain)
            throws ServletException, IOException {
        MockHttpServletResponse response = new MockHttpServletResponse();
        door.doFilter(request, response, chain);
        return response;
    }

    private static MockHttpServletRequest request() {
        return new MockHttpServletRequest("POST", "/api/chat");
    }
}
