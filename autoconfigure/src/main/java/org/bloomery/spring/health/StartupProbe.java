package org.bloomery.spring.health;

import java.lang.management.ManagementFactory;
import java.time.Duration;

/**
 * Figures for a startup probe of Kubernetes that gives a start three times what this one took.
 *
 * @param start from the process's beginning until its first model answered
 */
public record StartupProbe(Duration start) {

    private static final int PERIOD_SECONDS = 5;
    private static final int ROOM = 3;

    /** After a start that ends now. */
    public static StartupProbe now() {
        return new StartupProbe(
                Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime()));
    }

    /** Seconds between two looks. */
    public int periodSeconds() {
        return PERIOD_SECONDS;
    }

    /** Looks until the start has failed, at least 1. */
    public int failureThreshold() {
        long period = Duration.ofSeconds(PERIOD_SECONDS).toMillis();
        return Math.clamp(Math.ceilDiv(ROOM * start.toMillis(), period), 1, Integer.MAX_VALUE);
    }

    /** A line of the start-up report. */
    @Override
    public String toString() {
        return "Start took " + Math.ceilDiv(start.toMillis(), 100) / 10.0 + " s; a startup probe with periodSeconds "
                + periodSeconds() + " and failureThreshold " + failureThreshold() + " gives it three times as much";
    }
}
