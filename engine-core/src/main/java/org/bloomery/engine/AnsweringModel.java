package org.bloomery.engine;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * A model that has taken a request, for whoever keeps account of requests. It stays true when another model takes its place.
 *
 * @param info what its file says of itself
 * @param digest as {@link Engine#modelDigest}, whenever it is asked for
 */
public record AnsweringModel(ModelInfo info, Supplier<CompletableFuture<String>> digest) {}
