package org.bloomery.spring.security;

import org.springframework.security.authentication.AnonymousAuthenticationToken;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;

/** The caller as Spring Security knows it. */
public final class SecurityContextCaller {

    private SecurityContextCaller() {}

    /** The name of the principal of this thread, or {@link TenantResolver#ANONYMOUS}. */
    public static String name() {
        Authentication authentication = SecurityContextHolder.getContext().getAuthentication();
        if (authentication == null
                || authentication instanceof AnonymousAuthenticationToken
                || !authentication.isAuthenticated()) {
            return TenantResolver.ANONYMOUS;
        }
        String name = authentication.getName();
        return name == null || name.isBlank() ? TenantResolver.ANONYMOUS : name;
    }
}
