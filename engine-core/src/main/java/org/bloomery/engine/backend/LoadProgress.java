package org.bloomery.engine.backend;

/** Hears how far a model has been loaded. May throw to give the loading up. */
@FunctionalInterface
public interface LoadProgress {

    LoadProgress NONE = fraction -> {};

    /** @param fraction 0 to 1, never falling */
    void loaded(double fraction);
}
