package org.bloomery.spring.health;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineStats;
import org.bloomery.engine.EngineUnavailableException;

/**
 * Sees when an engine has work and gets nowhere: no step for as long as {@code least}, and for twenty times the usual step.
 * It then writes the stacks of all threads to the log and has the engine give up its step, which starts a backend in a worker
 * process again. Call {@link #check} every second or so, on one thread.
 */
public final class EngineWatchdog {

    /** What has become of the engine. */
    public enum State {
        /** Idle, or getting on. */
        HEALTHY,
        /** Stalled, and told to give up. */
        STALLED,
        /** Still stalled as long again after: nothing but a restart of this process helps. */
        BROKEN
    }

    /** What a watchdog needs of an engine. */
    public interface Watched {

        /** Time since the last step while there is something to do, else zero. */
        Duration sinceProgress();

        /** Median time of the latest steps, zero before the first. */
        Duration medianStep();

        /** Gives up the step under way. */
        void abandonStep();
    }

    private static final Log log = LogFactory.getLog(EngineWatchdog.class);

    private static final int STEPS = 20;

    private final Watched engine;
    private final Duration least;
    private final List<Consumer<State>> listeners = new CopyOnWriteArrayList<>();
    private volatile State state = State.HEALTHY;

    /** @param least shortest time without a step that counts as a stall */
    public EngineWatchdog(Watched engine, Duration least) {
        this.engine = engine;
        this.least = least;
    }

    /**
     * Watches an engine, whichever model it has.
     *
     * @param least shortest time without a step that counts as a stall
     */
    public static EngineWatchdog of(Engine engine, Duration least) {
        return new EngineWatchdog(new WatchedEngine(engine), least);
    }

    /** An engine without a model has nothing to do. */
    private record WatchedEngine(Engine engine) implements Watched {

        @Override
        public Duration sinceProgress() {
            return figure(EngineStats::sinceProgress);
        }

        @Override
        public Duration medianStep() {
            return figure(EngineStats::medianStep);
        }

        private Duration figure(Function<EngineStats, Duration> figure) {
            try {
                return figure.apply(engine.stats());
            } catch (EngineUnavailableException e) {
                return Duration.ZERO;
            }
        }

        @Override
        public void abandonStep() {
            engine.abandonStep();
        }
    }

    /** Tells a listener of every change of the state, on the thread that checks. */
    public void onChange(Consumer<State> listener) {
        listeners.add(listener);
    }

    /** What the last check found. */
    public State state() {
        return state;
    }

    /** Looks once. */
    public void check() {
        Duration since = engine.sinceProgress();
        Duration usual = engine.medianStep().multipliedBy(STEPS);
        Duration limit = usual.compareTo(least) > 0 ? usual : least;
        if (since.compareTo(limit) < 0) {
            become(State.HEALTHY, since);
        } else if (state == State.HEALTHY) {
            become(State.STALLED, since);
        } else if (since.compareTo(limit.multipliedBy(2)) >= 0) {
            become(State.BROKEN, since);
        }
    }

    private void become(State next, Duration since) {
        if (next == state) {
            return;
        }
        state = next;
        switch (next) {
            case HEALTHY -> log.info("The engine gets on again.");
            case STALLED -> {
                log.error("The engine has work, but has made no step for " + since.toSeconds()
                        + " s; its step is given up. Threads:" + threads());
                try {
                    engine.abandonStep();
                } catch (RuntimeException e) {
                    log.error("The engine's step could not be given up.", e);
                }
            }
            case BROKEN ->
                log.error("The engine has made no step for " + since.toSeconds()
                        + " s, also after its step was given up; restart the application.");
        }
        for (Consumer<State> listener : listeners) {
            try {
                listener.accept(next);
            } catch (RuntimeException e) {
                log.warn("A listener to the watchdog threw.", e);
            }
        }
    }

    /** The stacks of all threads: names and places in code, no data. */
    private static String threads() {
        StringBuilder dump = new StringBuilder();
        for (Map.Entry<Thread, StackTraceElement[]> each :
                Thread.getAllStackTraces().entrySet()) {
            dump.append(System.lineSeparator())
                    .append('"')
                    .append(each.getKey().getName())
                    .append("\" ")
                    .append(each.getKey().getState());
            for (StackTraceElement frame : each.getValue()) {
                dump.append(System.lineSeparator()).append("    at ").append(frame);
            }
        }
        return dump.toString();
    }
}
