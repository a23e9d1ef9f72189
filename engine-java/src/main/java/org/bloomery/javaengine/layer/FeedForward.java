package org.bloomery.javaengine.layer;

/** The second half of a block: works on each token alone. */
public interface FeedForward {

    /** {@code out(rows, embedding) = f(x(rows, embedding))} */
    void apply(float[] x, int rows, float[] out, Pass pass);
}
