package org.bloomery.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MemoryBandwidthTest {

    @Test
    void readsAllMemoryInEveryThread() throws InterruptedException {
        assertThat(MemoryBandwidth.measure(2, 1 << 12, 2)).isPositive();
    }
}
