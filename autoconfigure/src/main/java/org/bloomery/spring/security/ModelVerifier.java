package org.bloomery.spring.security;

import java.nio.file.Path;

/** Says whether a model's file is the one that it should be. Every bean of this type is asked before a model is loaded. */
@FunctionalInterface
public interface ModelVerifier {

    /** @param model the file, or the first part of a split model */
    ModelVerdict verify(Path model);
}
