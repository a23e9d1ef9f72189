package org.bloomery.javaengine.layer;

import java.util.List;

/** {@code down(silu(gate(x)) * up(x))}: SwiGLU. */
public record GatedFeedForward(Linear gate, Linear up, Linear down) implements FeedForward {

    @Override
    public void apply(float[] x, int rows, float[] out, Pass pass) {
        Linear.applyAll(List.of(gate, up), x, rows, List.of(pass.gate, pass.up), pass);
        Elementwise.swiglu(pass.gate, pass.up, rows * pass.widths.feedForward(), pass);
        down.apply(pass.gate, rows, out, pass);
    }
}
