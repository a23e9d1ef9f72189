package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.context.ContextRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.GenerationOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.prompt.Prompt;

class GenerationInterceptorTest {

    private static final String KEY = "bloomery.test.caller";
    private static final ThreadLocal<String> CALLER = new ThreadLocal<>();

    private final List<String> seen = new CopyOnWriteArrayList<>();

    @BeforeEach
    void registerContext() {
        ContextRegistry.getInstance().registerThreadLocalAccessor(KEY, CALLER);
    }

    @AfterEach
    void removeContext() {
        ContextRegistry.getInstance().removeThreadLocalAccessor(KEY);
        CALLER.remove();
    }

    private GenerationInterceptor noting(String name) {
        return (request, sink, next) -> {
            seen.add(name + " for " + CALLER.get());
            return next.submit(request, sink);
        };
    }

    private BloomeryChatModel model(GenerationInterceptor... interceptors) {
        return new BloomeryChatModel(
                GenerationInterceptor.chain(List.of(interceptors), ScriptedEngine.saying("Hello ", "there")),
                "scripted",
                BloomeryChatOptions.builder().build(),
                ObservationRegistry.NOOP,
                null);
    }

    @Test
    void theFirstIsOutermostAndSeesTheCallersContext() {
        CALLER.set("Ada");
        BloomeryChatModel model = model(noting("first"), noting("second"));

        model.call(new Prompt("Hi"));
        assertThat(seen).containsExactly("first for Ada", "second for Ada");
    }

    @Test
    void streamsCarryTheSubscribersContext() {
        CALLER.set("Grace");
        BloomeryChatModel model = model(noting("first"));

        assertThat(model.stream(new Prompt("Hi")).collectList().block()).isNotEmpty();
        assertThat(seen).containsExactly("first for Grace");
    }

    @Test
    void aRefusalNeverReachesTheEngine() {
        ScriptedEngine engine = ScriptedEngine.saying("never");
        GenerationInterceptor refusing = (request, sink, next) -> {
            throw new EngineOverloadedException("Not now.");
        };
        BloomeryChatModel model = new BloomeryChatModel(
                GenerationInterceptor.chain(List.of(refusing), engine),
                "scripted",
                BloomeryChatOptions.builder().build(),
                ObservationRegistry.NOOP,
                null);

        assertThatThrownBy(() -> model.call(new Prompt("Hi"))).isInstanceOf(EngineOverloadedException.class);
        assertThatThrownBy(() -> model.stream(new Prompt("Hi")).blockLast())
                .isInstanceOf(EngineOverloadedException.class);
        assertThat(engine.requests).isEmpty();
    }

    @Test
    void aStreamEndsWhoseInterceptorFailsBehindTheEngine() {
        GenerationInterceptor failing = (request, sink, next) -> {
            next.submit(request, sink).await();
            throw new IllegalStateException("broken");
        };
        assertThat(model(failing).stream(new Prompt("Hi"))
                        .timeout(Duration.ofSeconds(20))
                        .collectList()
                        .map(List::size)
                        .block())
                .isEqualTo(3);
        GenerationInterceptor early = (request, sink, next) -> {
            sink.onText("Hel");
            throw new IllegalStateException("broken");
        };
        assertThatThrownBy(() -> model(early).stream(new Prompt("Hi"))
                        .timeout(Duration.ofSeconds(20))
                        .blockLast())
                .hasMessage("broken");
    }

    @Test
    void tasksGoOnBehindOneThatBreaks() throws Exception {
        SerialExecutor tasks = new SerialExecutor();
        CountDownLatch second = new CountDownLatch(1);
        tasks.execute(() -> {
            throw new StackOverflowError("expected");
        });
        tasks.execute(second::countDown);
        assertThat(second.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aRequestCanBeChanged() {
        ScriptedEngine engine = ScriptedEngine.saying("ok");
        GenerationInterceptor shorter = (request, sink, next) -> {
            return next.submit(((ChatRequest) request).withOptions(GenerationOptions.DEFAULT.withMaxTokens(3)), sink);
        };
        new BloomeryChatModel(
                        GenerationInterceptor.chain(List.of(shorter), engine),
                        "scripted",
                        BloomeryChatOptions.builder().build(),
                        ObservationRegistry.NOOP,
                        null)
                .call(new Prompt("Hi"));
        assertThat(engine.lastRequest().options().maxTokens()).isEqualTo(3);
    }
}
