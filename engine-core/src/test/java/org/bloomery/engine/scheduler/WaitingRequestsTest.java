package org.bloomery.engine.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bloomery.engine.Caller;
import org.bloomery.engine.Caller.Priority;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.sampling.Sampler;
import org.bloomery.engine.sampling.SamplingOptions;
import org.bloomery.engine.sampling.SequenceBreakers;
import org.junit.jupiter.api.Test;

class WaitingRequestsTest {

    private static final long SECOND = 1_000_000_000L;

    private final WaitingRequests queue = new WaitingRequests();

    private static Sequence sequence(String tenant, Priority priority, int promptTokens, long deadline) {
        SequenceListener deaf = new SequenceListener() {
            @Override
            public boolean token(int token, List<Sampler.Scored> scores) {
                return true;
            }

            @Override
            public void finished(FinishReason reason) {}

            @Override
            public void failed(RuntimeException error) {}
        };
        Sampler sampler = new Sampler(SamplingOptions.GREEDY, SequenceBreakers.NONE, 1);
        return new Sequence(new Caller(tenant, priority), new int[promptTokens], 1000, deadline, -1, sampler, deaf);
    }

    private Sequence add(String tenant, Priority priority, int promptTokens, long now) {
        Sequence sequence = sequence(tenant, priority, promptTokens, Long.MAX_VALUE);
        queue.add(sequence, promptTokens, now);
        return sequence;
    }

    private Sequence add(String tenant, int promptTokens) {
        return add(tenant, Priority.NORMAL, promptTokens, 0);
    }

    private List<Sequence> takeAll() {
        List<Sequence> taken = new ArrayList<>();
        while (!queue.isEmpty()) {
            taken.add(queue.take(0));
        }
        return taken;
    }

    @Test
    void oneTenantIsServedInOrder() {
        Sequence first = add("a", 5);
        Sequence second = add("a", 1);
        Sequence third = add("a", 3);
        assertThat(takeAll()).containsExactly(first, second, third);
        assertThatThrownBy(() -> queue.take(0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aTenantWithOneRequestDoesNotWaitForAnothersHundred() {
        for (int i = 0; i < 100; i++) {
            add("many", 10);
        }
        queue.take(0);
        Sequence single = add("single", 10);
        // The hundred were served once already, so it is the other's turn at once or after one more of equal standing.
        assertThat(List.of(queue.take(0), queue.take(0))).contains(single);
    }

    @Test
    void tenantsOfEqualDemandGetEqualTokensWhateverTheSizeOfTheirRequests() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        // Ten tenants, from many small requests to few large ones, all with more to do than will be served.
        for (int tenant = 0; tenant < 10; tenant++) {
            int size = 20 << (tenant % 5);
            for (int tokens = 0; tokens < 40_000; tokens += size) {
                add("t" + tenant, size / 2 + random.nextInt(size));
            }
        }
        Map<String, Long> served = new HashMap<>();
        long total = 0;
        while (total < 150_000) {
            Sequence taken = queue.take(0);
            // Answers of unequal length, written before the next turn.
            int answer = random.nextInt(100);
            queue.serve(taken.caller(), answer);
            served.merge(taken.caller().tenant(), (long) taken.promptLength() + answer, Long::sum);
            total += taken.promptLength() + answer;
        }
        double index =
                jain(served.values().stream().mapToDouble(Long::doubleValue).toArray());
        assertThat(index).as("%s, seed %d", served, seed).isGreaterThanOrEqualTo(0.95);
        assertThat(served).hasSize(10);
    }

    /** Jain's index of fairness: 1 where all are equal, 1/n where one has everything. */
    private static double jain(double[] shares) {
        double sum = 0;
        double squares = 0;
        for (double share : shares) {
            sum += share;
            squares += share * share;
        }
        return sum * sum / (shares.length * squares);
    }

    @Test
    void nobodySavesUpTurnsWhileAway() {
        add("early", 10);
        queue.take(0);
        for (int i = 0; i < 50; i++) {
            add("busy", 100);
        }
        for (int i = 0; i < 30; i++) {
            queue.take(0);
        }
        for (int i = 0; i < 50; i++) {
            add("early", 100);
        }
        Map<String, Integer> turns = new HashMap<>();
        for (int i = 0; i < 20; i++) {
            turns.merge(queue.take(0).caller().tenant(), 1, Integer::sum);
        }
        assertThat(turns.get("early")).isBetween(9, 11);
    }

    @Test
    void higherPrioritiesGoFirstWhoeversTheyAre() {
        Sequence low = add("a", Priority.LOW, 1, 0);
        Sequence normal = add("b", Priority.NORMAL, 1, 0);
        Sequence high = add("a", Priority.HIGH, 500, 0);
        Sequence second = add("a", Priority.HIGH, 500, 0);
        assertThat(takeAll()).containsExactly(high, second, normal, low);
    }

    @Test
    void noPriorityWaitsForever() {
        Sequence low = add("patient", Priority.LOW, 10, 0);
        int turns = 0;
        long now = 0;
        // One more request of high priority than are served comes every second.
        while (true) {
            add("urgent", Priority.HIGH, 10, now);
            add("urgent", Priority.HIGH, 10, now);
            if (queue.take(now) == low) {
                break;
            }
            turns++;
            now += SECOND;
        }
        assertThat(turns).isBetween(20, 21);
    }

    @Test
    void whatIsPutBackGoesFirstInItsOrder() {
        Sequence first = add("a", 4);
        Sequence second = add("b", 4);
        Sequence third = add("c", Priority.HIGH, 4, 0);
        List<Sequence> taken = List.of(queue.take(0), queue.take(0));
        assertThat(taken).containsExactly(third, first);
        queue.putBack(taken);
        assertThat(queue.size()).isEqualTo(3);
        assertThat(queue.promptTokens()).isEqualTo(12);
        assertThat(takeAll()).containsExactly(third, first, second);
        assertThat(queue.promptTokens()).isZero();
    }

    @Test
    void takesOutWhatIsToEnd() {
        Sequence cancelled = add("a", 4);
        Sequence late = sequence("b", Priority.NORMAL, 5, 10);
        queue.add(late, 5, 0);
        Sequence stays = add("a", 6);
        cancelled.cancel();
        assertThat(queue.removeEnded(20)).containsExactlyInAnyOrder(cancelled, late);
        assertThat(queue.promptTokens()).isEqualTo(6);
        assertThat(queue.work()).isEqualTo(6);
        assertThat(takeAll()).containsExactly(stays);
        assertThat(queue.work()).isZero();
    }

    @Test
    void theWorkBeforeASequenceIsItsOwnTenantsAndAnEqualShareOfOthers() {
        add("a", 100);
        add("b", 1000);
        add("c", Priority.LOW, 5000, 0);
        Sequence own = sequence("a", Priority.NORMAL, 50, Long.MAX_VALUE);
        Sequence stranger = sequence("d", Priority.NORMAL, 50, Long.MAX_VALUE);
        Sequence low = sequence("d", Priority.LOW, 50, Long.MAX_VALUE);
        assertThat(queue.workBefore(own, 50)).isEqualTo(100 + 150);
        assertThat(queue.workBefore(stranger, 50)).isEqualTo(50 + 50);
        assertThat(queue.workBefore(low, 50)).isEqualTo(50 + 50 + 50);
    }

    @Test
    void remembersABoundedNumberOfTenants() {
        for (int i = 0; i < 100_000; i++) {
            add("t" + i, 1 + i % 7);
            queue.take(0);
            assertThat(queue.tenants()).isLessThanOrEqualTo(1025);
        }
    }
}
