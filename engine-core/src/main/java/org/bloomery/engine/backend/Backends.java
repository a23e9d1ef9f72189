package org.bloomery.engine.backend;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.UnaryOperator;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.ModelFile;

/** Chooses the backend that runs a model, among those on the class path. */
public final class Backends {

    private static final String FALLBACK = "java";

    private Backends() {}

    /**
     * A model on the backend that was chosen for it.
     *
     * @param backend belongs to the caller
     * @param reason why this one, and why each other one was not, in one line
     */
    public record Opened(Backend backend, String reason) {}

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
     * Opens a model on the backend asked for, or on the first that can run it. With {@code auto} a backend that fails to
     * open the model, as where a device has too little memory, gives way to the next.
     *
     * @param requested {@code auto}, or a provider's name
     * @param isolation applied to each provider before it is used, to run it elsewhere; it keeps its name
     * @throws InvalidOptionException if no provider has that name, or it cannot run on this machine
     * @throws UnsupportedModelException if no backend can run the model
     * @throws EngineException as of {@link BackendProvider#open}, if the last one that might run it cannot open it
     */
    public static Opened open(
            ModelFile model,
            String requested,
            BackendOptions options,
            LoadProgress progress,
            UnaryOperator<BackendProvider> isolation) {
        return open(available(), model, requested, options, progress, isolation);
    }

    static Opened open(
            List<BackendProvider> providers,
            ModelFile model,
            String requested,
            BackendOptions options,
            LoadProgress progress,
            UnaryOperator<BackendProvider> isolation) {
        boolean auto = requested.equals("auto");
        List<BackendProvider> candidates = candidates(providers, requested);
        List<String> rejected = new ArrayList<>();
        boolean anyRuns = false;
        EngineException failure = null;
        LoadProgress rising = rising(progress);
        for (int i = 0; i < candidates.size(); i++) {
            BackendProvider provider = isolation.apply(candidates.get(i));
            if (provider.probe(options.devices()) instanceof Availability.Unavailable machine) {
                rejected.add(provider.name() + ": " + machine.reason());
                continue;
            }
            anyRuns = true;
            if (provider.supports(model) instanceof Availability.Unavailable unsupported) {
                rejected.add(provider.name() + ": " + unsupported.reason());
                continue;
            }
            try {
                Backend backend = provider.open(model, options, rising);
                return new Opened(backend, reason(auto, providers, provider, rejected));
            } catch (EngineException e) {
                if (!auto || i == candidates.size() - 1) {
                    throw e;
                }
                failure = e;
                rejected.add(provider.name() + ": " + e.getMessage());
            }
        }
        if (failure != null) {
            throw failure;
        }
        String reasons = String.join(" ", rejected);
        if (!anyRuns) {
            throw new InvalidOptionException(
                    "Option 'backend' is '" + requested + "', which cannot run here. " + reasons);
        }
        throw new UnsupportedModelException(reasons);
    }

    private static List<BackendProvider> candidates(List<BackendProvider> providers, String requested) {
        if (providers.isEmpty()) {
            throw new InvalidOptionException("No backend is on the class path; add bloomery-engine-java.");
        }
        if (requested.equals("auto")) {
            return providers;
        }
        List<BackendProvider> named =
                providers.stream().filter(p -> p.name().equals(requested)).toList();
        if (named.isEmpty()) {
            throw new InvalidOptionException("Option 'backend' is '" + requested
                    + "'; it must be auto or one of those on the class path: "
                    + String.join(
                            ", ", providers.stream().map(BackendProvider::name).toList()) + ".");
        }
        return named;
    }

    private static String reason(
            boolean auto, List<BackendProvider> providers, BackendProvider chosen, List<String> rejected) {
        List<String> others = new ArrayList<>(rejected);
        for (BackendProvider provider : providers) {
            if (!provider.name().equals(chosen.name())
                    && rejected.stream().noneMatch(r -> r.startsWith(provider.name() + ":"))) {
                others.add(provider.name() + (auto ? ": it is next in line" : ": not asked for"));
            }
        }
        String why = auto ? "the first one that can run it" : "asked for";
        return others.isEmpty() ? why : why + "; not " + String.join("; not ", others);
    }

    /** A backend that gives way to another must not make progress fall back. */
    private static LoadProgress rising(LoadProgress progress) {
        double[] most = {0};
        return fraction -> {
            most[0] = Math.max(most[0], fraction);
            progress.loaded(most[0]);
        };
    }
}
