package org.bloomery.spring.audit;

/**
 * A text that must not come out anywhere but in answers. Every test that looks for content uses it, and {@link CanaryWatch}
 * looks for it in all that the whole test run logs.
 */
public final class Canary {

    /** What every canary begins with. */
    public static final String TEXT = "zebra-4711";

    private Canary() {}

    /** A canary that tells where it was put. */
    public static String in(String place) {
        return TEXT + "-" + place;
    }
}
