package org.bloomery.spring.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StartupProbeTest {

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "1666, 1", "1667, 2", "40000, 24", "86400000, 51840"})
    void lastsThreeTimesTheStart(long startMillis, int looks) {
        StartupProbe probe = new StartupProbe(Duration.ofMillis(startMillis));
        assertThat(probe.failureThreshold()).isEqualTo(looks);
        assertThat(probe.toString()).contains("periodSeconds 5", "failureThreshold " + looks);
    }
}
