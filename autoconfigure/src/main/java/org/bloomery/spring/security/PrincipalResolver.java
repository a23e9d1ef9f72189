package org.bloomery.spring.security;

/** Says who asks. Called on the caller's thread, with its thread-bound context. */
@FunctionalInterface
public interface PrincipalResolver {

    /** The name of whoever asks, or {@link TenantResolver#ANONYMOUS}. */
    String principal();
}
