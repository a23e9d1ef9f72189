package org.bloomery.engine;

/**
 * Tokens in the cache, counted in each sequence that holds them.
 *
 * @param active of running sequences
 * @param reusable left by ended ones for prompts that begin alike; given up when their place is needed
 * @param free that could be added
 */
public record CacheUse(long active, long reusable, long free) {}
