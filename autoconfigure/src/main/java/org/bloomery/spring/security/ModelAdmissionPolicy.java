package org.bloomery.spring.security;

import org.bloomery.engine.format.ModelFile;

/** Says whether a model of this kind may be loaded. Every bean of this type is asked, with the model's header. */
@FunctionalInterface
public interface ModelAdmissionPolicy {

    /** @param model stays the caller's to close; its weights are not to be read */
    ModelVerdict admit(ModelFile model);
}
