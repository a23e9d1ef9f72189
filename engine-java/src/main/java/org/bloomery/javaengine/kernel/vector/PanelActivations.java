package org.bloomery.javaengine.kernel.vector;

import org.bloomery.javaengine.kernel.ActivationForm;
import org.bloomery.javaengine.kernel.Activations;

/** The activations of many tokens in {@link Panels}. */
record PanelActivations() implements ActivationForm {

    static final PanelActivations FORM = new PanelActivations();

    @Override
    public int length(int columns, int tokens) {
        return tokens < Panels.FEWEST_TOKENS ? 0 : Math.multiplyExact(columns, Panels.padded(tokens));
    }

    @Override
    public int parts(int columns, int tokens) {
        return Panels.parts(tokens);
    }

    @Override
    public void pack(Activations x, int part) {
        Panels.pack(x, part);
    }

    @Override
    public void round(float[] x, int offset, int columns, float[] out, int outOffset) {
        PLAIN.round(x, offset, columns, out, outOffset);
    }
}
