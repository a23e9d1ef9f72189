package org.bloomery.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MergeQueueTest {

    @Test
    void givesTheLeastRankAndThenTheLeastPosition() {
        Random random = new Random(77);
        MergeQueue queue = new MergeQueue();
        for (int round = 0; round < 300; round++) {
            PriorityQueue<Long> expected = new PriorityQueue<>();
            int ranks = 1 + random.nextInt(200);
            for (int step = random.nextInt(1_000); step > 0; step--) {
                if (random.nextInt(3) == 0) {
                    Long next = expected.poll();
                    if (next != null) {
                        assertThat(queue.poll()).as("seed 77, round %d", round).isEqualTo(next);
                    }
                } else {
                    int rank = random.nextInt(ranks);
                    int position = random.nextInt(2) == 0 ? 1_000_000 - step : random.nextInt(1_000_000);
                    queue.add(rank, position);
                    expected.add((long) rank << 32 | position);
                }
            }
            while (!expected.isEmpty()) {
                assertThat(queue.poll()).as("seed 77, round %d", round).isEqualTo(expected.poll());
            }
            assertThat(queue.poll()).isEqualTo(-1);
        }
    }
}
