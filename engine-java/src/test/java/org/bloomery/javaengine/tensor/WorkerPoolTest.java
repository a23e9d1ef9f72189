package org.bloomery.javaengine.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void visitsEveryIndexExactlyOnce(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int count : new int[] {0, 1, 2, 7, 100, 1001}) {
                for (int grain : new int[] {1, 3, 64, 1000, Integer.MAX_VALUE}) {
                    AtomicIntegerArray visits = new AtomicIntegerArray(count);
                    pool.forRange(count, grain, (from, to, worker) -> {
                        assertThat(to - from).isBetween(1, grain);
                        assertThat(worker).isBetween(0, threads - 1);
                        for (int i = from; i < to; i++) {
                            visits.incrementAndGet(i);
                        }
                    });
                    for (int i = 0; i < count; i++) {
                        assertThat(visits.get(i)).isOne();
                    }
                }
            }
        }
    }

    @Test
    void runsManyRoundsWithAndWithoutPausesBetween() {
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            try (WorkerPool pool = new WorkerPool(4)) {
                long[] sums = new long[4 * 16];
                for (int round = 0; round < 20_000; round++) {
                    pool.forRange(64, 1, (from, to, worker) -> sums[worker * 16] += to - from);
                    if (round % 400 == 0) {
                        // Longer than a worker looks for work before it parks
                        LockSupport.parkNanos(1_000_000);
                    }
                }
                assertThat(sums[0] + sums[16] + sums[32] + sums[48]).isEqualTo(20_000 * 64);
            }
        });
    }

    @Test
    void computesOnNamedDaemonThreadsAndTheCaller() throws Exception {
        Set<String> names = ConcurrentHashMap.newKeySet();
        CountDownLatch bothInside = new CountDownLatch(2);
        try (WorkerPool pool = new WorkerPool(2)) {
            pool.forRange(2, 1, (from, to, worker) -> {
                names.add(worker + " " + Thread.currentThread().getName() + " "
                        + (worker == 0 || Thread.currentThread().isDaemon()));
                bothInside.countDown();
                try {
                    assertThat(bothInside.await(20, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
        }
        assertThat(names)
                .containsExactlyInAnyOrder(
                        "0 " + Thread.currentThread().getName() + " true", "1 bloomery-compute-1 true");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void rethrowsTheFirstFailureAndGoesOn(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int bad : new int[] {0, 50, 99}) {
                IllegalArgumentException failure = new IllegalArgumentException("index " + bad);
                assertThatThrownBy(() -> pool.forRange(100, 1, (from, to, worker) -> {
                            if (from <= bad && bad < to) {
                                throw failure;
                            }
                        }))
                        .isSameAs(failure);
                AtomicInteger sum = new AtomicInteger();
                pool.forRange(100, 7, (from, to, worker) -> sum.addAndGet(to - from));
                assertThat(sum).hasValue(100);
            }
            assertThatThrownBy(() -> pool.forRange(10, 1, (from, to, worker) -> {
                        throw new StackOverflowError();
                    }))
                    .isInstanceOf(StackOverflowError.class);
        }
    }

    @Test
    void refusesARoundInsideARound() {
        try (WorkerPool pool = new WorkerPool(2)) {
            assertThatThrownBy(() -> pool.forRange(
                            4, 1, (from, to, worker) -> pool.forRange(4, 1, (innerFrom, innerTo, inner) -> {})))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("in a round already");
        }
    }

    @Test
    void endsItsThreadsOnCloseAndRefusesWorkAfter() throws Exception {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        CountDownLatch allInside = new CountDownLatch(3);
        WorkerPool pool = new WorkerPool(3);
        pool.forRange(3, 1, (from, to, worker) -> {
            threads.add(Thread.currentThread());
            allInside.countDown();
            try {
                assertThat(allInside.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        pool.close();
        pool.close();
        threads.remove(Thread.currentThread());
        assertThat(threads).hasSize(2).noneMatch(Thread::isAlive);
        assertThatThrownBy(() -> pool.forRange(1, 1, (from, to, worker) -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void refusesNonsense() {
        assertThatThrownBy(() -> new WorkerPool(0)).isInstanceOf(IllegalArgumentException.class);
        try (WorkerPool pool = new WorkerPool(1)) {
            assertThat(pool.threads()).isOne();
            assertThatThrownBy(() -> pool.forRange(1, 0, (from, to, worker) -> {}))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
