package org.bloomery.example.production;

import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Clients of both tenants that ask the service, every other one for a stream. */
final class Load {

    static final List<String> TENANTS = List.of("acme", "globex");
    static final List<String> QUESTIONS = List.of(
            "Tell me a story about an owl.",
            "What is the capital of Nepal?",
            "Count from 3 to 12.",
            "Who are you?",
            "Tell me a story about a lighthouse.");

    private final Client client;
    private final AtomicInteger asked = new AtomicInteger();

    Load(Client client) {
        this.client = client;
    }

    /**
     * A question and what came of it.
     *
     * @param plannedNanos when it was to be asked; whatever delays it after that is part of its time
     */
    record Asked(String tenant, String question, Reply reply, long plannedNanos, long endNanos) {

        double millis() {
            return (endNanos - plannedNanos) / 1e6;
        }
    }

    /** As many clients, each asking again as soon as it has its answer. */
    List<Asked> closed(int clients, Duration duration) throws Exception {
        long end = System.nanoTime() + duration.toNanos();
        Queue<Asked> all = new ConcurrentLinkedQueue<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                running.add(threads.submit(() -> {
                    while (System.nanoTime() < end) {
                        all.add(ask(System.nanoTime()).join());
                    }
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
        }
        return List.copyOf(all);
    }

    /**
     * Questions that come at random moments, whether earlier ones are answered or not, for this long; and then their ends.
     *
     * @param perSecond how many on average
     */
    List<Asked> open(double perSecond, Duration duration, Random random) {
        List<CompletableFuture<Asked>> all = new ArrayList<>();
        long start = System.nanoTime();
        double planned = 0;
        while (planned < duration.toNanos()) {
            long at = start + (long) planned;
            for (long wait = at - System.nanoTime(); wait > 0; wait = at - System.nanoTime()) {
                LockSupport.parkNanos(wait);
            }
            all.add(ask(at));
            planned -= Math.log(1 - random.nextDouble()) / perSecond * 1e9;
        }
        return all.stream().map(CompletableFuture::join).toList();
    }

    private CompletableFuture<Asked> ask(long plannedNanos) {
        int number = asked.getAndIncrement();
        String tenant = TENANTS.get(number % 2);
        String question = QUESTIONS.get(number % QUESTIONS.size());
        String path = number / 2 % 2 == 0 ? "/api/chat/stream" : "/api/chat";
        return client.http()
                .sendAsync(client.question(tenant, path, question), BodyHandlers.ofString())
                .thenApply(
                        response -> new Asked(tenant, question, Reply.of(response), plannedNanos, System.nanoTime()));
    }
}
