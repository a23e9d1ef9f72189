package org.bloomery.javaengine.arch;

import org.bloomery.javaengine.layer.Decoder;

/** A kind of model, as named by {@code general.architecture}. */
interface Architecture {

    String name();

    /** Reads the hyper-parameters; what is wrong with them, the reader collects. */
    HyperParameters read(HyperParameterReader reader);

    /** Builds the model of its weights; what is wrong with them, the weights collect. */
    Decoder build(HyperParameters hyper, Weights weights);
}
