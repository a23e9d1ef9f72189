package org.bloomery.javaengine.kernel;

/**
 * The form in which a kernel reads activations, made once a product and shared by all matrices that want the same: equal
 * forms are the same. Stateless.
 */
public interface ActivationForm {

    /** As they are. */
    ActivationForm PLAIN = new PlainActivations();

    /** Floats in the packed form of (tokens, columns) activations; 0 where kernels read them as they are. */
    int length(int columns, int tokens);

    /** Parts in which activations are packed, each by one call to {@link #pack} on any thread. */
    int parts(int columns, int tokens);

    /** Writes one part of the packed form of {@code x} into its {@code packed}. */
    void pack(Activations x, int part);

    /**
     * Writes what packing leaves of one token's activations, which is what products are made of: a form may round them.
     *
     * @param columns floats of a token
     */
    void round(float[] x, int offset, int columns, float[] out, int outOffset);
}
