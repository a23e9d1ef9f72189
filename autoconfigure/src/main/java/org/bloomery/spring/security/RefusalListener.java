package org.bloomery.spring.security;

import org.bloomery.engine.GenerationRequest;

/** Hears of requests that authorisation refuses, which no interceptor further in sees. Called on the caller's thread. */
@FunctionalInterface
public interface RefusalListener {

    void refused(GenerationRequest request, RuntimeException error);
}
