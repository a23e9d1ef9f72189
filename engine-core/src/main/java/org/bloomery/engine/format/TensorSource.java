package org.bloomery.engine.format;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/** Gives the bytes of a tensor when its turn to be written comes, so that a large model is never in memory whole. */
@FunctionalInterface
public interface TensorSource {

    /**
     * Writes all bytes of the tensor, in as many pieces as it likes.
     *
     * @param out takes every byte it is given; not to be closed, and not to be kept
     */
    void writeTo(WritableByteChannel out) throws IOException;
}
