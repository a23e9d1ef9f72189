package org.bloomery.spring.security;

/**
 * What is said of a model before it is loaded.
 *
 * @param accepted whether it may be loaded
 * @param reason why not: one sentence; empty where it may
 */
public record ModelVerdict(boolean accepted, String reason) {

    /** Nothing against it. */
    public static final ModelVerdict ACCEPTED = new ModelVerdict(true, "");

    public static ModelVerdict refused(String reason) {
        return new ModelVerdict(false, reason);
    }
}
