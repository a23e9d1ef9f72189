package org.bloomery.javaengine.layer;

/** One layer of a model: reads the residual stream of a pass and adds to it. */
public interface Block {

    /**
     * Runs the layer.
     *
     * @param last whether no layer follows, so that after the tokens have met only the wanted rows need go on
     */
    void apply(Pass pass, boolean last);
}
