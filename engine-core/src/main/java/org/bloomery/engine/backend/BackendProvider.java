package org.bloomery.engine.backend;

import org.bloomery.engine.format.ModelFile;

/**
 * A kind of backend, found by {@link java.util.ServiceLoader}. Cheap to create; nothing is loaded before
 * {@link #open}.
 */
public interface BackendProvider {

    /** Short name used in {@code bloomery.engine.backend}, such as {@code java}. */
    String name();

    /**
     * Whether this backend can run on this machine, with the reason. Never throws for an absent library or device.
     *
     * @param devices where to look for the library
     */
    Availability probe(DeviceOptions devices);

    /**
     * Whether this backend can run this model: the architecture and every tensor type are known. Reads metadata only.
     *
     * @return available, or unavailable with what is not supported
     */
    Availability supports(ModelFile model);

    /**
     * Loads the model. The file stays open and belongs to the caller, who closes it after the backend.
     *
     * @throws org.bloomery.engine.UnsupportedModelException if the model cannot be run, naming every reason
     * @throws org.bloomery.engine.format.ModelFormatException if hyper-parameters or tensors contradict one another
     * @throws org.bloomery.engine.InsufficientMemoryException if the memory plan does not fit
     */
    Backend open(ModelFile model, BackendOptions options, LoadProgress progress);
}
