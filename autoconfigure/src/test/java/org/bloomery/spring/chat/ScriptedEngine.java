package org.bloomery.spring.chat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.Timings;
import org.bloomery.engine.TokenLogProbability;
import org.bloomery.engine.Usage;
import org.bloomery.engine.chat.ToolCall;
import org.jspecify.annotations.Nullable;

/** An engine whose answers are written beforehand; like the real one it speaks from a worker thread of its own. */
public final class ScriptedEngine implements Answering {

    public static final Usage USAGE = new Usage(11, 7, 5);
    public static final Timings TIMINGS = new Timings(Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMillis(9));

    public final List<ChatRequest> requests = new CopyOnWriteArrayList<>();
    public final List<Answer> answers = new CopyOnWriteArrayList<>();
    private final AtomicInteger ids = new AtomicInteger();
    private final Consumer<Answer> script;

    public ScriptedEngine(Consumer<Answer> script) {
        this.script = script;
    }

    /** Answers with these pieces of text and ends with STOP. */
    public static ScriptedEngine saying(String... pieces) {
        return new ScriptedEngine(answer -> {
            for (String piece : pieces) {
                answer.text(piece);
            }
            answer.end(FinishReason.STOP);
        });
    }

    public ChatRequest lastRequest() {
        return requests.getLast();
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink) {
        requests.add((ChatRequest) request);
        Answer answer = new Answer("answer-" + ids.incrementAndGet(), sink);
        answers.add(answer);
        Thread.ofPlatform().daemon().name("scripted-worker").start(() -> {
            try {
                script.accept(answer);
            } catch (RuntimeException e) {
                answer.fail(e);
            }
        });
        return answer;
    }

    public static final class Answer implements Generation {

        private final String id;
        private final GenerationSink sink;
        private final StringBuilder text = new StringBuilder();
        private final StringBuilder reasoning = new StringBuilder();
        private final CompletableFuture<Completion> completion = new CompletableFuture<>();
        public final CountDownLatch cancelled = new CountDownLatch(1);

        Answer(String id, GenerationSink sink) {
            this.id = id;
            this.sink = sink;
        }

        public boolean text(String delta) {
            text.append(delta);
            return sink.onText(delta);
        }

        public boolean reasoning(String delta) {
            reasoning.append(delta);
            return sink.onReasoning(delta);
        }

        public void end(FinishReason reason, ToolCall... calls) {
            end(reason, List.of(), calls);
        }

        public void end(FinishReason reason, List<TokenLogProbability> logProbabilities, ToolCall... calls) {
            @Nullable String thought = reasoning.isEmpty() ? null : reasoning.toString();
            Completion whole = new Completion(
                    id, text.toString(), thought, List.of(calls), reason, USAGE, TIMINGS, logProbabilities);
            sink.onComplete(whole);
            completion.complete(whole);
        }

        public void fail(RuntimeException error) {
            sink.onError(error);
            completion.completeExceptionally(error);
        }

        /** Waits until the caller cancels, as the model would see it between two tokens. */
        public void awaitCancel() {
            try {
                cancelled.await();
            } catch (InterruptedException e) {
                throw new EngineException("interrupted", e);
            }
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public void cancel() {
            cancelled.countDown();
        }

        @Override
        public Completion await() {
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        return completion.get();
                    } catch (InterruptedException e) {
                        interrupted = true;
                        cancel();
                    } catch (java.util.concurrent.ExecutionException e) {
                        throw (RuntimeException) e.getCause();
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
}
