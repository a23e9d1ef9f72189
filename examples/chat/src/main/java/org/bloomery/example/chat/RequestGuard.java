package org.bloomery.example.chat;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Tells browsers that this page needs nothing but its own files, and refuses bodies that are larger than any message
 * before they are read.
 */
@Component
class RequestGuard extends OncePerRequestFilter {

    /** A message of {@link ChatController#MESSAGE_LIMIT} characters as JSON, each escaped in the longest way. */
    private static final long BODY_LIMIT = 16 * 1024;

    private static final String CONTENT_SECURITY_POLICY = "default-src 'none'; script-src 'self'; style-src 'self';"
            + " img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        response.setHeader("Content-Security-Policy", CONTENT_SECURITY_POLICY);
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setHeader("Referrer-Policy", "no-referrer");
        response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
        boolean lengthUnknown = request.getContentLengthLong() < 0 && request.getHeader("Transfer-Encoding") != null;
        if (lengthUnknown || request.getContentLengthLong() > BODY_LIMIT) {
            response.sendError(HttpStatus.CONTENT_TOO_LARGE.value(), "Bodies are at most " + BODY_LIMIT + " bytes.");
            return;
        }
        chain.doFilter(request, response);
    }
}
