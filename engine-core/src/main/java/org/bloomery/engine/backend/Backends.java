package org.bloomery.engine.backend;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.ModelFile;

/** Chooses the backend that runs a model, among those on the class path. */
public final class Backends {

    private static final String FALLBACK = "java";

    private Backends() {}

    /**
     * A choice.
     *
     * @param provider what was chosen
     * @param reason why, and why each other one was not, in one line
     */
    public record Selection(BackendProvider provider, String reason) {}

    /** All providers on the class path of the engine; the Java one, everyone's fallback, comes last. */
    public static List<BackendProvider> available() {
        List<BackendProvider> providers = new ArrayList<>();
        ServiceLoader.load(BackendProvider.class, Backends.class.getClassLoader())
                .forEach(providers::add);
        providers.sort(Comparator.comparing((BackendProvider p) -> p.name().equals(FALLBACK))
                .thenComparing(BackendProvider::name));
        return List.copyOf(providers);
    }

    /**
     * Chooses a backend.
     *
     * @param requested {@code auto}, or a provider's name
     * @throws InvalidOptionException if no provider has that name, or it cannot run on this machine
     * @throws UnsupportedModelException if no backend can run the model
     */
    public static Selection select(ModelFile model, String requested) {
        return select(available(), model, requested);
    }

    static Selection select(List<BackendProvider> providers, ModelFile model, String requested) {
        List<String> names = providers.stream().map(BackendProvider::name).toList();
        if (providers.isEmpty()) {
            throw new InvalidOptionException("No backend is on the class path; add bloomery-engine-java.");
        }
        boolean auto = requested.equals("auto");
        if (!auto && !names.contains(requested)) {
            throw new InvalidOptionException("Option 'backend' is '" + requested
                    + "'; it must be auto or one of those on the class path: " + String.join(", ", names) + ".");
        }
        List<String> rejected = new ArrayList<>();
        boolean anyRuns = false;
        for (BackendProvider provider : providers) {
            if (!auto && !provider.name().equals(requested)) {
                continue;
            }
            Availability machine = provider.probe();
            if (machine instanceof Availability.Unavailable) {
                rejected.add(provider.name() + ": " + machine.reason());
                continue;
            }
            anyRuns = true;
            Availability supported = provider.supports(model);
            if (supported instanceof Availability.Unavailable) {
                rejected.add(provider.name() + ": " + supported.reason());
                continue;
            }
            String why = auto ? "the best one available" : "asked for";
            String others = rejected.isEmpty() ? "" : "; not " + String.join("; not ", rejected);
            return new Selection(provider, why + others);
        }
        String reasons = String.join(" ", rejected);
        if (!anyRuns) {
            throw new InvalidOptionException(
                    "Option 'backend' is '" + requested + "', which cannot run here. " + reasons);
        }
        throw new UnsupportedModelException(reasons);
    }
}
