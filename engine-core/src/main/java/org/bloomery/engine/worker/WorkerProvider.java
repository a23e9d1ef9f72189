package org.bloomery.engine.worker;

import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;

/**
 * Another provider's backend, run in a child JVM. The provider must be on the class path, where the child finds it by its
 * name.
 */
public final class WorkerProvider implements BackendProvider {

    private final BackendProvider provider;

    public WorkerProvider(BackendProvider provider) {
        this.provider = provider;
    }

    @Override
    public String name() {
        return provider.name();
    }

    /** Always available: the machine is looked at by the worker when it opens the model, so that no native code runs here. */
    @Override
    public Availability probe(DeviceOptions devices) {
        return new Availability.Available("runs in a worker process");
    }

    @Override
    public Availability supports(ModelFile model) {
        return provider.supports(model);
    }

    /**
     * Starts the child and loads the model there.
     *
     * @throws org.bloomery.engine.InvalidOptionException if the backend cannot run on this machine, or no child JVM can be
     *     started from here
     */
    @Override
    public Backend open(ModelFile model, BackendOptions options, LoadProgress progress) {
        LoadMode loadMode = model.mapped() ? LoadMode.MAP : LoadMode.COPY;
        return new WorkerBackend(new Messages.Order(name(), model.path(), loadMode, options), progress);
    }
}
