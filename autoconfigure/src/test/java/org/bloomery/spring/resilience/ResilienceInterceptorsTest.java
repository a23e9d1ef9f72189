package org.bloomery.spring.resilience;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.timelimiter.TimeLimiter;
import io.github.resilience4j.timelimiter.TimeLimiterConfig;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.ContextLengthExceededException;
import org.bloomery.engine.EngineClosedException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.ScriptedEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ResilienceInterceptorsTest {

    private static final ChatRequest REQUEST =
            new ChatRequest(List.of(ChatMessage.user("Hello")), GenerationOptions.DEFAULT);

    private final ScriptedEngine answering = ScriptedEngine.saying("Hi");
    private final ScriptedEngine waiting = new ScriptedEngine(answer -> {
        answer.text("Well");
        answer.awaitCancel();
        answer.end(FinishReason.CANCELLED);
    });
    private final Bulkhead bulkhead =
            Bulkhead.of("one", BulkheadConfig.custom().maxConcurrentCalls(1).build());
    private final CircuitBreaker breaker = CircuitBreaker.of(
            "engine",
            CircuitBreakerConfig.custom()
                    .slidingWindowSize(2)
                    .minimumNumberOfCalls(2)
                    .build());

    private static Answering over(Answering engine, GenerationInterceptor... interceptors) {
        return GenerationInterceptor.chain(List.of(interceptors), engine);
    }

    private static Completion ask(Answering way) {
        return way.submit(REQUEST, GenerationSink.NONE).await();
    }

    private static Answering refusing(RuntimeException error) {
        return (request, sink) -> {
            throw error;
        };
    }

    private static Answering failing(RuntimeException error) {
        return new ScriptedEngine(answer -> answer.fail(error));
    }

    private static TimeLimiter limiter(String name, Duration limit) {
        return TimeLimiter.of(
                name, TimeLimiterConfig.custom().timeoutDuration(limit).build());
    }

    @Test
    void aBulkheadsPermitIsHeldUntilTheGenerationEnds() {
        Answering way = over(waiting, new BulkheadInterceptor(bulkhead));
        CompletableFuture<Completion> end = new CompletableFuture<>();
        Generation first = way.submit(REQUEST, new GenerationSink() {
            @Override
            public void onComplete(Completion completion) {
                end.complete(completion);
            }
        });
        assertThatThrownBy(() -> ask(way))
                .isInstanceOf(EngineOverloadedException.class)
                .hasMessageContaining("'one'")
                .hasMessageContaining("lets 1 requests");
        assertThat(waiting.requests).hasSize(1);
        first.cancel();
        assertThat(end.join().finishReason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(bulkhead.getMetrics().getAvailableConcurrentCalls()).isEqualTo(1);
    }

    @Test
    void aBulkheadsPermitComesBackFromRefusalsAndFailures() {
        for (Answering engine :
                List.of(refusing(new EngineClosedException("gone")), failing(new EngineException("broken")))) {
            Answering way = over(engine, new BulkheadInterceptor(bulkhead));
            assertThatThrownBy(() -> ask(way)).isInstanceOf(EngineException.class);
            assertThat(bulkhead.getMetrics().getAvailableConcurrentCalls()).isEqualTo(1);
        }
    }

    @Test
    void anInterruptedWaitForABulkheadIsACancellation() throws InterruptedException {
        Bulkhead patient = Bulkhead.of(
                "patient",
                BulkheadConfig.custom()
                        .maxConcurrentCalls(1)
                        .maxWaitDuration(Duration.ofHours(1))
                        .build());
        patient.acquirePermission();
        AtomicReference<Throwable> caught = new AtomicReference<>();
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                ask(over(answering, new BulkheadInterceptor(patient)));
            } catch (RuntimeException e) {
                caught.set(e);
            }
        });
        caller.interrupt();
        caller.join();
        assertThat(caught.get()).isInstanceOf(CancellationException.class).hasMessageContaining("'patient'");
        assertThat(answering.requests).isEmpty();
    }

    @Test
    void aPermitIsGivenBackOnceWhateverHappens() {
        GenerationInterceptor breaking = (request, sink, next) -> {
            next.submit(request, sink).await();
            throw new IllegalStateException("broken");
        };
        Answering way =
                over(answering, new CircuitBreakerInterceptor(breaker), new BulkheadInterceptor(bulkhead), breaking);
        assertThatThrownBy(() -> ask(way)).isInstanceOf(IllegalStateException.class);
        assertThat(bulkhead.getMetrics().getAvailableConcurrentCalls()).isEqualTo(1);
        assertThat(bulkhead.tryAcquirePermission()).isTrue();
        assertThat(bulkhead.tryAcquirePermission()).isFalse();
        assertThat(breaker.getMetrics().getNumberOfBufferedCalls()).isEqualTo(1);
    }

    @Test
    void anAnswerEndsAlsoWhereWhoListensThrows() {
        TimeLimiter limiter = limiter("heard", Duration.ofHours(1));
        limiter.getEventPublisher().onEvent(event -> {
            throw new IllegalStateException("listener");
        });
        assertThat(ask(over(answering, new TimeLimiterInterceptor(limiter))).text())
                .isEqualTo("Hi");
    }

    @Test
    void aRateLimiterRefusesWhatIsAboveItsRate() {
        RateLimiter limiter = RateLimiter.of(
                "few",
                RateLimiterConfig.custom()
                        .limitForPeriod(2)
                        .limitRefreshPeriod(Duration.ofDays(1))
                        .timeoutDuration(Duration.ZERO)
                        .build());
        Answering way = over(answering, new RateLimiterInterceptor(limiter));
        ask(way);
        ask(way);
        assertThatThrownBy(() -> ask(way))
                .isInstanceOf(EngineOverloadedException.class)
                .hasMessageContaining("'few'")
                .hasMessageContaining("2 requests");
        assertThat(answering.requests).hasSize(2);
    }

    @Test
    void failuresOfTheEngineOpenTheCircuitBreaker() {
        for (RuntimeException error : List.of(new BackendLostException("lost", null), new EngineException("broken"))) {
            assertThatThrownBy(() -> ask(over(failing(error), new CircuitBreakerInterceptor(breaker))))
                    .isSameAs(error);
        }
        assertThat(breaker.getState()).isEqualTo(CircuitBreaker.State.OPEN);
        assertThatThrownBy(() -> ask(over(answering, new CircuitBreakerInterceptor(breaker))))
                .isInstanceOf(EngineOverloadedException.class)
                .hasMessageContaining("'engine' is OPEN");
        assertThat(answering.requests).isEmpty();
    }

    @Test
    void aClosedEngineOpensTheCircuitBreakerToo() {
        Answering way = over(refusing(new EngineClosedException("gone")), new CircuitBreakerInterceptor(breaker));
        assertThatThrownBy(() -> ask(way)).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> ask(way)).isInstanceOf(EngineClosedException.class);
        assertThat(breaker.getState()).isEqualTo(CircuitBreaker.State.OPEN);
    }

    @Test
    void refusalsAndCancellationsAreNoFailures() {
        CircuitBreakerInterceptor guarded = new CircuitBreakerInterceptor(breaker);
        for (RuntimeException error : List.of(
                new EngineOverloadedException("full"),
                new ContextLengthExceededException(9, 9, 10),
                new EngineException("invalid"))) {
            assertThatThrownBy(() -> ask(over(refusing(error), guarded))).isSameAs(error);
        }
        Generation cancelled = over(waiting, guarded).submit(REQUEST, GenerationSink.NONE);
        cancelled.cancel();
        cancelled.await();
        assertThat(breaker.getMetrics().getNumberOfBufferedCalls()).isZero();
        ask(over(answering, guarded));
        assertThat(breaker.getMetrics().getNumberOfSuccessfulCalls()).isEqualTo(1);
    }

    @Test
    void aTimeLimiterEndsAnAnswerAndCancelsItsGeneration() throws InterruptedException {
        TimeLimiter limiter = limiter("quick", Duration.ofMillis(50));
        CountDownLatch told = new CountDownLatch(1);
        AtomicReference<RuntimeException> error = new AtomicReference<>();
        Generation generation = over(
                        waiting,
                        new CircuitBreakerInterceptor(breaker),
                        new TimeLimiterInterceptor(limiter),
                        new BulkheadInterceptor(bulkhead))
                .submit(REQUEST, new GenerationSink() {
                    @Override
                    public void onError(RuntimeException e) {
                        error.set(e);
                        told.countDown();
                    }
                });
        assertThatThrownBy(generation::await)
                .isInstanceOf(EngineOverloadedException.class)
                .hasMessageContaining("'quick'")
                .hasCauseInstanceOf(TimeoutException.class);
        told.await();
        assertThat(error.get()).isInstanceOf(EngineOverloadedException.class);
        assertThat(waiting.answers.getFirst().cancelled.await(30, TimeUnit.SECONDS))
                .isTrue();
        assertThat(breaker.getMetrics().getNumberOfFailedCalls()).isEqualTo(1);
    }

    @Test
    void anAnswerInTimePassesTheTimeLimiterUnchanged() {
        TimeLimiter limiter = limiter("slow", Duration.ofHours(1));
        assertThat(ask(over(answering, new TimeLimiterInterceptor(limiter))).text())
                .isEqualTo("Hi");
        RuntimeException error = new EngineException("broken");
        assertThatThrownBy(() -> ask(over(failing(error), new TimeLimiterInterceptor(limiter))))
                .isSameAs(error);
    }
}
