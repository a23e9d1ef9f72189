package org.bloomery.spring.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.bloomery.spring.health.EngineWatchdog.State;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@ExtendWith(OutputCaptureExtension.class)
class EngineWatchdogTest {

    private Duration since = Duration.ZERO;
    private Duration step = Duration.ofMillis(100);
    private int abandoned;
    private final List<State> changes = new ArrayList<>();

    private final EngineWatchdog watchdog = new EngineWatchdog(
            new EngineWatchdog.Watched() {
                @Override
                public Duration sinceProgress() {
                    return since;
                }

                @Override
                public Duration medianStep() {
                    return step;
                }

                @Override
                public void abandonStep() {
                    abandoned++;
                }
            },
            Duration.ofSeconds(30));

    private State after(Duration time) {
        since = time;
        watchdog.check();
        return watchdog.state();
    }

    @Test
    void aStallIsSeenDumpedAndGivenUpOnce(CapturedOutput output) {
        watchdog.onChange(changes::add);
        assertThat(after(Duration.ofSeconds(29))).isEqualTo(State.HEALTHY);
        assertThat(after(Duration.ofSeconds(30))).isEqualTo(State.STALLED);
        assertThat(after(Duration.ofSeconds(31))).isEqualTo(State.STALLED);
        assertThat(abandoned).isEqualTo(1);
        assertThat(output).contains("no step for 30 s").contains("EngineWatchdogTest.aStallIsSeenDumpedAndGivenUpOnce");
        assertThat(after(Duration.ZERO)).isEqualTo(State.HEALTHY);
        assertThat(changes).containsExactly(State.STALLED, State.HEALTHY);
    }

    @Test
    void whatAListenerThrowsKeepsNothingFromTheOthers() {
        watchdog.onChange(state -> {
            throw new IllegalStateException("a listener's own trouble");
        });
        watchdog.onChange(changes::add);
        assertThat(after(Duration.ofSeconds(30))).isEqualTo(State.STALLED);
        assertThat(changes).containsExactly(State.STALLED);
    }

    @Test
    void slowStepsAreNoStall() {
        step = Duration.ofSeconds(4);
        assertThat(after(Duration.ofSeconds(79))).isEqualTo(State.HEALTHY);
        assertThat(after(Duration.ofSeconds(80))).isEqualTo(State.STALLED);
    }

    @Test
    void whatStaysStalledIsBroken() {
        after(Duration.ofSeconds(30));
        assertThat(after(Duration.ofSeconds(60))).isEqualTo(State.BROKEN);
        assertThat(abandoned).isEqualTo(1);
        assertThat(after(Duration.ofSeconds(1))).isEqualTo(State.HEALTHY);
    }
}
