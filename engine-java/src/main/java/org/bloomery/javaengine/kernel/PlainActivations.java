package org.bloomery.javaengine.kernel;

/** Activations that nobody packs. */
record PlainActivations() implements ActivationForm {

    @Override
    public int length(int columns, int tokens) {
        return 0;
    }

    @Override
    public int parts(int columns, int tokens) {
        return 0;
    }

    @Override
    public void pack(Activations x, int part) {
        throw new IllegalArgumentException("There is no packed form of activations that are read as they are");
    }

    @Override
    public void round(float[] x, int offset, int columns, float[] out, int outOffset) {
        System.arraycopy(x, offset, out, outOffset, columns);
    }
}
