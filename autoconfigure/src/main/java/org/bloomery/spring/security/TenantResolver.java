package org.bloomery.spring.security;

/**
 * Says on whose behalf a request comes. Called on the caller's thread, with its thread-bound context; the answer comes from
 * what the server knows of the caller, such as the security context, never from the request's body.
 */
@FunctionalInterface
public interface TenantResolver {

    /** Where nobody is known. */
    String ANONYMOUS = "anonymous";

    /** A name that stays the same for the same tenant; it appears in audit records. */
    String tenant();
}
