package org.bloomery.engine;

/**
 * On whose behalf a request comes, as the server knows it: given beside a request, never read from one. Tenants share the
 * engine equally, and none gets anything from another's cache.
 *
 * @param tenant a name that stays the same for the same tenant
 * @param priority whose turn it is among those that wait
 */
public record Caller(String tenant, Priority priority) {

    /** Where nobody is known: all such requests are one tenant's. */
    public static final Caller ANONYMOUS = new Caller("", Priority.NORMAL);

    /**
     * A higher one goes first, whoever's it is. A request that waits rises by one every ten seconds, so that none waits
     * forever.
     */
    public enum Priority {
        LOW,
        NORMAL,
        HIGH
    }
}
