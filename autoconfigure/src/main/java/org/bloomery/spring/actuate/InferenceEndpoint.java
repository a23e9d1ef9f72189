package org.bloomery.spring.actuate;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.EngineState;
import org.bloomery.engine.EngineStats;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.backend.HostPressure;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.spring.health.StartupProbe;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

/**
 * The engine for operators: what is loaded and why, what it does, what is the matter. Never text of prompts or answers.
 * Operations that change something are there only where {@code management.endpoint.inference.access} is {@code unrestricted}.
 */
@Endpoint(id = "inference", defaultAccess = Access.READ_ONLY)
public final class InferenceEndpoint {

    private final Engine engine;
    private final Function<@Nullable String, EngineOptions> options;
    private final Duration grace;
    private final Supplier<@Nullable StartupProbe> startupProbe;

    /**
     * @param options how to open the model of that name, or the configured one for null; checks it first
     * @param grace most time that requests have to end where a model goes
     * @param startupProbe what the start-up report says, null before it
     */
    public InferenceEndpoint(
            Engine engine,
            Function<@Nullable String, EngineOptions> options,
            Duration grace,
            Supplier<@Nullable StartupProbe> startupProbe) {
        this.engine = engine;
        this.options = options;
        this.grace = grace;
        this.startupProbe = startupProbe;
    }

    /** Everything at one moment. */
    @ReadOperation
    public Map<String, Object> inference() {
        Map<String, Object> all = new LinkedHashMap<>();
        EngineState state = engine.state();
        all.put("state", state.name());
        EngineStats stats;
        Path file;
        try {
            stats = engine.stats();
            file = engine.modelFile();
        } catch (EngineUnavailableException e) {
            all.put("loaded", engine.loadProgress());
            all.put("reason", String.valueOf(e.getMessage()));
            return all;
        }
        all.put("models", List.of(model(stats)));
        all.put(
                "backend",
                Map.of(
                        "name", stats.backend().backend(),
                        "reason", stats.backendReason(),
                        "kernels", stats.backend().kernels(),
                        "kernelsReason", stats.backend().kernelsReason(),
                        "threads", stats.backend().threads(),
                        "threadsReason", stats.backend().threadsReason(),
                        "devices", stats.backend().devices()));
        all.put(
                "memory",
                Map.of(
                        "total", stats.backend().memory().total(),
                        "weights", stats.backend().memory().weights(),
                        "repacked", stats.backend().memory().repacked(),
                        "cache", stats.backend().memory().cache(),
                        "workspace", stats.backend().memory().workspace()));
        all.put(
                "slots",
                Map.of(
                        "active", stats.activeSequences(),
                        "most", stats.backend().maxSequences(),
                        "cacheTokensActive", stats.cache().active(),
                        "cacheTokensReusable", stats.cache().reusable(),
                        "cacheTokensFree", stats.cache().free()));
        all.put(
                "queue",
                Map.of(
                        "waiting", stats.queuedRequests(),
                        "prefillBacklog", stats.prefillBacklog(),
                        "requests", engine.running()));
        StartupProbe probe = startupProbe.get();
        if (probe != null) {
            all.put(
                    "startupProbe",
                    Map.of(
                            "start", probe.start().toString(),
                            "periodSeconds", probe.periodSeconds(),
                            "failureThreshold", probe.failureThreshold()));
        }
        all.put(
                "doctor",
                Doctor.findings(stats, HostPressure.now(), file).stream()
                        .map(each -> Map.of("finding", each.finding(), "remedy", each.remedy()))
                        .toList());
        return all;
    }

    private static Map<String, Object> model(EngineStats stats) {
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("name", stats.model().name());
        model.put("architecture", stats.model().architecture());
        model.put("parameters", stats.model().parameters());
        model.put("quantization", stats.model().quantization());
        model.put("fileBytes", stats.model().fileBytes());
        model.put("contextLength", stats.model().contextLength());
        model.put("templateHash", String.valueOf(stats.model().templateHash()));
        model.put("loadTime", stats.loadTime().toString());
        return model;
    }

    /**
     * Changes something: {@code drain} refuses new requests and waits for those under way, {@code unload} frees the model,
     * {@code reload} loads the configured one or another in its place.
     *
     * @param model for {@code reload}: a model as in {@code bloomery.chat.model}, or null for that one
     */
    @WriteOperation
    public Map<String, Object> act(@Selector String action, @Nullable String model) {
        return switch (action) {
            case "drain" -> Map.of("drained", engine.drain(grace));
            case "unload" -> Map.of("drained", engine.unload(grace));
            case "reload" -> Map.of("drained", engine.swap(options.apply(model), LoadProgress.NONE, grace));
            default ->
                throw new IllegalArgumentException(
                        "There is no operation '" + action + "'; there are drain, unload, reload and cancel/{id}.");
        };
    }

    /** Changes something about one request: {@code cancel} ends it. */
    @WriteOperation
    public Map<String, Object> actOn(@Selector String action, @Selector String id) {
        if (!action.equals("cancel")) {
            throw new IllegalArgumentException(
                    "There is no operation '" + action + "' for a request; there is cancel.");
        }
        return Map.of("cancelled", engine.cancel(id));
    }
}
