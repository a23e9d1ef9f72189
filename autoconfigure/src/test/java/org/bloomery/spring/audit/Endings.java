package org.bloomery.spring.audit;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.timelimiter.TimeLimiter;
import io.github.resilience4j.timelimiter.TimeLimiterConfig;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.Caller;
import org.bloomery.engine.CompletionRequest;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.EngineOptions;
import org.bloomery.engine.EngineOverloadedException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.audit.AuditRecord.Outcome;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.spring.admission.AdmissionInterceptor;
import org.bloomery.spring.admission.TenantLimits;
import org.bloomery.spring.chat.BloomeryChatModel;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.bloomery.spring.chat.DeferredGeneration;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.RequestRecorder;
import org.bloomery.spring.chat.ScriptedEngine;
import org.bloomery.spring.overflow.CompletionsServer;
import org.bloomery.spring.overflow.OverflowInterceptor;
import org.bloomery.spring.overflow.OverflowPolicy;
import org.bloomery.spring.overflow.OverflowReason;
import org.bloomery.spring.resilience.BulkheadInterceptor;
import org.bloomery.spring.resilience.CircuitBreakerInterceptor;
import org.bloomery.spring.resilience.RateLimiterInterceptor;
import org.bloomery.spring.resilience.TimeLimiterInterceptor;
import org.bloomery.spring.security.AuthorizationInterceptor;
import org.bloomery.spring.security.GuardInterceptor;
import org.bloomery.spring.security.OutputGuard;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.PromptGuard;
import org.bloomery.spring.security.TenantResolver;
import org.bloomery.spring.security.ToolCallInterceptor;
import org.bloomery.spring.security.Verdict;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.util.MimeTypeUtils;

/**
 * Every way in which a request of a chat model ends, each with one way to bring it about. All that a request and its answer
 * can have text in has a {@link Canary}.
 */
final class Endings implements AutoCloseable {

    /** Who goes, and when. */
    enum Patience {
        WAITS,
        GOES_WHEN_IT_BEGINS,
        GOES_AT_ONCE
    }

    /**
     * An ending.
     *
     * @param outcome as records have it
     * @param told the finish reason of what was answered, else the error's type, or null where there is neither
     */
    record Ending(
            String name,
            Outcome outcome,
            @Nullable String told,
            Engine engine,
            List<GenerationInterceptor> interceptors,
            Prompt prompt,
            Patience patience,
            @Nullable Brokenness brokenness) {

        @Override
        public String toString() {
            return name;
        }
    }

    /** What is wrong with whoever resolves the caller. */
    private enum Brokenness {
        PRINCIPAL,
        TENANT
    }

    private final List<Ending> all = new ArrayList<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Engine ready;
    private final Engine loading;
    private final Engine closed;
    private final Engine refusingTemplate;
    private final CompletionsServer answering;
    private final CompletionsServer failing;
    private volatile CountDownLatch begun = new CountDownLatch(1);

    Endings() throws IOException {
        answering = new CompletionsServer();
        failing = new CompletionsServer();
        ready = open(null);
        closed = open(null);
        closed.close();
        refusingTemplate = open("{{ raise_exception('No ' + messages[0].content) }}");
        loading = Engine.openInBackground(
                () -> {
                    await(closing);
                    throw new EngineException("Never loaded.");
                },
                LoadProgress.NONE);
        answers();
        cancellations();
        refusalsOfTheChatModel();
        refusalsOfInterceptors();
        refusalsOfTheEngine();
        failures();
        overflows();
    }

    private static Engine open(@Nullable String template) {
        return Engine.open(
                EngineOptions.builder(Path.of(Objects.requireNonNull(System.getProperty("bloomery.demo.model"))))
                        .contextLength(1024)
                        .chatTemplate(template)
                        .build(),
                LoadProgress.NONE);
    }

    static void await(CountDownLatch latch) {
        try {
            latch.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The engine that answers. */
    Engine engine() {
        return ready;
    }

    Stream<Ending> all() {
        return all.stream();
    }

    // What is asked

    private static BloomeryChatOptions.Builder options() {
        return BloomeryChatOptions.builder()
                .temperature(0.0)
                .maxTokens(6)
                .stopSequences(List.of(Canary.in("stop")))
                .textBias(Map.of(Canary.in("bias"), 0.5))
                .drySequenceBreakers(List.of(Canary.in("breaker")))
                .templateArguments(Map.of("hint", Canary.in("template-argument")))
                .toolCallbacks(List.of(tool("look")))
                .toolContext(Map.of("for", Canary.in("tool-context")));
    }

    private static ToolCallback tool(String name) {
        return new ToolCallback() {
            @Override
            public ToolDefinition getToolDefinition() {
                return ToolDefinition.builder()
                        .name(name)
                        .description("Looks for " + Canary.in("tool-description"))
                        .inputSchema(
                                "{\"type\":\"object\",\"properties\":{\"for\":{\"type\":\"string\",\"description\":\""
                                        + Canary.in("schema") + "\"}}}")
                        .build();
            }

            @Override
            public String call(String arguments) {
                throw new UnsupportedOperationException("Nobody calls it.");
            }
        };
    }

    private static List<Message> conversation() {
        return List.of(
                new SystemMessage("You know of " + Canary.in("system") + " and speak of it to nobody."),
                new UserMessage("Look for " + Canary.in("earlier")),
                AssistantMessage.builder()
                        .content(Canary.in("earlier-answer"))
                        .properties(Map.of(BloomeryChatModel.REASONING, Canary.in("earlier-reasoning")))
                        .toolCalls(List.of(new AssistantMessage.ToolCall(
                                "1", "function", "look", "{\"for\":\"" + Canary.in("earlier-arguments") + "\"}")))
                        .build(),
                ToolResponseMessage.builder()
                        .responses(List.of(new ToolResponseMessage.ToolResponse("1", "look", Canary.in("result"))))
                        .build(),
                new UserMessage("Where is " + Canary.in("prompt") + "?"));
    }

    private static Prompt prompt() {
        return prompt(builder -> {});
    }

    private static Prompt prompt(Consumer<BloomeryChatOptions.Builder> change) {
        BloomeryChatOptions.Builder builder = options();
        change.accept(builder);
        return new Prompt(conversation(), builder.build());
    }

    // What answers

    private GenerationInterceptor scripted(Consumer<ScriptedEngine.Answer> script) {
        ScriptedEngine engine = new ScriptedEngine(answer -> {
            begun.countDown();
            script.accept(answer);
        });
        return (request, sink, next) -> engine.submit(request, sink);
    }

    private GenerationInterceptor saying(FinishReason reason, ToolCall... calls) {
        return scripted(answer -> {
            answer.reasoning("I think of " + Canary.in("reasoning"));
            answer.text(("It is at " + Canary.in("answer") + ". ").repeat(20));
            answer.end(reason, calls);
        });
    }

    private GenerationInterceptor calling() {
        return saying(
                FinishReason.TOOL_CALLS,
                new ToolCall("1", "look", "{\"for\":\"" + Canary.in("arguments") + "\"}"),
                new ToolCall("2", Canary.in("tool-name"), "{}"));
    }

    private GenerationInterceptor waiting() {
        return scripted(answer -> {
            answer.text("Well, " + Canary.in("answer"));
            answer.awaitCancel();
            answer.end(FinishReason.CANCELLED);
        });
    }

    private static GenerationInterceptor failing(Supplier<RuntimeException> error) {
        return (request, sink, next) -> {
            throw error.get();
        };
    }

    private static GenerationInterceptor full() {
        return failing(() -> new EngineOverloadedException("The queue is full."));
    }

    // What happens

    private void add(
            String name, Outcome outcome, @Nullable String told, Prompt prompt, GenerationInterceptor... interceptors) {
        all.add(new Ending(name, outcome, told, ready, Arrays.asList(interceptors), prompt, Patience.WAITS, null));
    }

    private void on(Engine engine, String name, String error) {
        all.add(new Ending(name, Outcome.REFUSED, error, engine, List.of(), prompt(), Patience.WAITS, null));
    }

    private void answers() {
        add("the engine answers", Outcome.COMPLETED, "LENGTH", prompt());
        add(
                "options of another family",
                Outcome.COMPLETED,
                "LENGTH",
                new Prompt(
                        conversation(),
                        ChatOptions.builder()
                                .maxTokens(3)
                                .stopSequences(List.of(Canary.in("stop")))
                                .build()));
        for (FinishReason reason :
                EnumSet.of(FinishReason.STOP, FinishReason.LENGTH, FinishReason.DEADLINE, FinishReason.SHUTDOWN)) {
            add("an answer ends with " + reason, Outcome.COMPLETED, reason.name(), prompt(), saying(reason));
        }
        add("tools are called", Outcome.COMPLETED, "TOOL_CALLS", prompt(), calling());
        OutputGuard blocking = request -> (window, last) -> Verdict.block("no");
        add(
                "a guard blocks the answer",
                Outcome.COMPLETED,
                "GUARD",
                prompt(),
                new GuardInterceptor(List.of(), List.of(blocking), 64),
                calling());
        OutputGuard throwing = request -> (window, last) -> {
            throw new IllegalStateException(window);
        };
        add(
                "a guard fails over the answer",
                Outcome.COMPLETED,
                "GUARD",
                prompt(),
                new GuardInterceptor(List.of(), List.of(throwing), 64),
                calling());
    }

    private void cancellations() {
        all.add(new Ending(
                "the caller goes",
                Outcome.CANCELLED,
                "CANCELLED",
                ready,
                List.of(waiting()),
                prompt(),
                Patience.GOES_WHEN_IT_BEGINS,
                null));
        all.add(new Ending(
                "the caller goes at once",
                Outcome.CANCELLED,
                null,
                ready,
                List.of(waiting()),
                prompt(),
                Patience.GOES_AT_ONCE,
                null));
    }

    private void refusalsOfTheChatModel() {
        add("another model's name", Outcome.REFUSED, "InvalidOptionException", prompt(o -> o.model("other")));
        add(
                "an option out of range",
                Outcome.REFUSED,
                "InvalidOptionException",
                new Prompt(conversation(), ChatOptions.builder().maxTokens(0).build()));
        add(
                "media",
                Outcome.REFUSED,
                "EngineException",
                new Prompt(
                        List.of(UserMessage.builder()
                                .text(Canary.in("prompt"))
                                .media(new Media(MimeTypeUtils.IMAGE_PNG, URI.create("https://example.com/a.png")))
                                .build()),
                        options().build()));
        add(
                "no messages",
                Outcome.REFUSED,
                "InvalidOptionException",
                new Prompt(List.of(), options().build()));
        add(
                "two tools of one name",
                Outcome.REFUSED,
                "IllegalStateException",
                prompt(o -> o.toolCallbacks(List.of(tool("look"), tool("look")))));
    }

    private void refusalsOfInterceptors() {
        add(
                "the caller may not ask",
                Outcome.REFUSED,
                "AuthorizationDeniedException",
                prompt(),
                new AuthorizationInterceptor(
                        List.of((caller, request) -> new AuthorizationDecision(false)),
                        () -> "demo",
                        () -> "ada",
                        ObservationRegistry.NOOP));
        AdmissionInterceptor busy = admitting(0);
        busy.submit(
                new CompletionRequest("Hello", GenerationOptions.DEFAULT),
                GenerationSink.NONE,
                (request, sink) -> new DeferredGeneration());
        add("the tenant has no room", Outcome.REFUSED, "EngineOverloadedException", prompt(), busy);
        add("a prompt too long for its tenant", Outcome.REFUSED, "InvalidOptionException", prompt(), admitting(5));
        PromptGuard blocking = (role, text) -> Verdict.block("no");
        add(
                "a guard blocks the prompt",
                Outcome.REFUSED,
                "PromptBlockedException",
                prompt(),
                new GuardInterceptor(List.of(blocking), List.of(), 64));
        PromptGuard throwing = (role, text) -> {
            throw new IllegalStateException(text);
        };
        add(
                "a guard fails over the prompt",
                Outcome.REFUSED,
                "PromptBlockedException",
                prompt(),
                new GuardInterceptor(List.of(throwing), List.of(), 64));
        CircuitBreaker breaker = CircuitBreaker.ofDefaults("engine");
        breaker.transitionToForcedOpenState();
        add(
                "the circuit breaker is open",
                Outcome.REFUSED,
                "EngineOverloadedException",
                prompt(),
                new CircuitBreakerInterceptor(breaker));
        add(
                "the bulkhead is full",
                Outcome.REFUSED,
                "EngineOverloadedException",
                prompt(),
                new BulkheadInterceptor(Bulkhead.of(
                        "none", BulkheadConfig.custom().maxConcurrentCalls(0).build())));
        RateLimiter limiter = RateLimiter.of(
                "one",
                RateLimiterConfig.custom()
                        .limitForPeriod(1)
                        .limitRefreshPeriod(Duration.ofHours(1))
                        .timeoutDuration(Duration.ZERO)
                        .build());
        limiter.acquirePermission();
        add(
                "the rate limit is reached",
                Outcome.REFUSED,
                "EngineOverloadedException",
                prompt(),
                new RateLimiterInterceptor(limiter));
        add(
                "an interceptor fails",
                Outcome.REFUSED,
                "IllegalStateException",
                prompt(),
                failing(() -> new IllegalStateException("broken")));
        add("an interceptor breaks", Outcome.REFUSED, "StackOverflowError", prompt(), (request, sink, next) -> {
            throw new StackOverflowError();
        });
        for (Brokenness brokenness : Brokenness.values()) {
            all.add(new Ending(
                    "the " + brokenness + " cannot be told",
                    Outcome.REFUSED,
                    "IllegalStateException",
                    ready,
                    List.of(),
                    prompt(),
                    Patience.WAITS,
                    brokenness));
        }
    }

    private static AdmissionInterceptor admitting(int longest) {
        return new AdmissionInterceptor(
                () -> "acme",
                new TenantLimits(0, 1, longest, Caller.Priority.NORMAL),
                Map.of(),
                request -> 200,
                Engine.DEFAULT_MAX_TOKENS,
                ObservationRegistry.NOOP);
    }

    private void refusalsOfTheEngine() {
        on(closed, "the engine is closed", "EngineClosedException");
        on(loading, "the model is being loaded", "EngineUnavailableException");
        on(refusingTemplate, "the template refuses", "TemplateException");
        add("the queue is full", Outcome.REFUSED, "EngineOverloadedException", prompt(), full());
        add(
                "too long a prompt",
                Outcome.REFUSED,
                "ContextLengthExceededException",
                new Prompt((Canary.in("prompt") + " ").repeat(1000), options().build()));
        add("a broken expression", Outcome.REFUSED, "GrammarException", prompt(o -> o.regex("(" + Canary.in("regex"))));
        add(
                "a broken grammar",
                Outcome.REFUSED,
                "GrammarException",
                prompt(o -> o.grammar("root ::= \"" + Canary.in("grammar"))));
        add(
                "a broken schema",
                Outcome.REFUSED,
                "GrammarException",
                prompt(o -> o.jsonSchema("{\"type\":\"" + Canary.in("schema") + "\"}")));
        add(
                "an unknown tool is demanded",
                Outcome.REFUSED,
                "InvalidOptionException",
                prompt(o -> o.toolChoice("missing")));
    }

    private void failures() {
        add("the backend is lost", Outcome.FAILED, "BackendLostException", prompt(), scripted(answer -> {
            answer.text(Canary.in("answer"));
            throw new BackendLostException("The backend is gone.", null);
        }));
        add(
                "a tool may not be called",
                Outcome.FAILED,
                "ToolCallDeniedException",
                prompt(),
                new ToolCallInterceptor(
                        List.of((caller, call) -> {
                            throw new IllegalStateException(call.arguments());
                        }),
                        ObservationRegistry.NOOP),
                calling());
        add(
                "an answer takes too long",
                Outcome.FAILED,
                "EngineOverloadedException",
                prompt(),
                new TimeLimiterInterceptor(TimeLimiter.of(
                        "short",
                        TimeLimiterConfig.custom()
                                .timeoutDuration(Duration.ofMillis(20))
                                .build())),
                waiting());
    }

    private void overflows() {
        Function<ChatModel, OverflowInterceptor> to = model -> overflow(model, OverflowPolicy.ALL);
        add("another model answers", Outcome.COMPLETED, "STOP", prompt(), to.apply(new Other(false)), full());
        add("a cluster answers", Outcome.COMPLETED, "STOP", prompt(), to.apply(cluster()), full());
        add(
                "a cluster fails",
                Outcome.FAILED,
                "EngineOverloadedException",
                prompt(),
                to.apply(failingCluster()),
                full());
        add(
                "another model fails",
                Outcome.FAILED,
                "EngineOverloadedException",
                prompt(),
                to.apply(new Other(true)),
                full());
        add(
                "the request may not leave",
                Outcome.REFUSED,
                "EngineOverloadedException",
                prompt(),
                overflow(new Other(false), OverflowPolicy.NONE),
                full());
        add(
                "the policy fails",
                Outcome.REFUSED,
                "EngineOverloadedException",
                prompt(),
                overflow(new Other(false), (prompt, caller) -> {
                    throw new IllegalStateException("broken");
                }),
                full());
    }

    private ChatModel cluster() {
        answering.pieces = List.of("From ", Canary.in("answer"));
        return answering.client(Canary.in("api-key"), ObservationRegistry.NOOP);
    }

    private ChatModel failingCluster() {
        failing.conduct = CompletionsServer.Conduct.FAILS;
        return failing.client(Canary.in("api-key"), ObservationRegistry.NOOP);
    }

    private static OverflowInterceptor overflow(ChatModel model, OverflowPolicy policy) {
        return new OverflowInterceptor(
                new OverflowInterceptor.Target("other", model),
                EnumSet.allOf(OverflowReason.class),
                policy,
                () -> "ada",
                () -> "acme",
                List.of());
    }

    private record Other(boolean fails) implements ChatModel {

        @Override
        public ChatResponse call(Prompt prompt) {
            if (fails) {
                throw new IllegalStateException("out of order");
            }
            return new ChatResponse(List.of(new org.springframework.ai.chat.model.Generation(
                    new AssistantMessage("Instead " + Canary.in("answer")))));
        }

        @Override
        public ChatOptions getOptions() {
            return ChatOptions.builder().model("other").build();
        }
    }

    // Who asks

    /** Asks so that the request ends this way, and returns what was thrown. */
    @Nullable
    Throwable happens(Ending ending, Asking asking, AuditRecorderFactory recorders, ObservationRegistry observations) {
        begun = new CountDownLatch(1);
        RequestRecorder recorder = recorders.with(
                resolver("ada", ending.brokenness() == Brokenness.PRINCIPAL),
                resolver("acme", ending.brokenness() == Brokenness.TENANT));
        BloomeryChatModel model = BloomeryChatModel.builder(ending.engine())
                .options(options().build())
                .interceptors(ending.interceptors())
                .observationRegistry(observations)
                .recorder(recorder)
                .build();
        return asking.ask(model, ending, begun);
    }

    /** Makes a recorder for callers that are resolved so. */
    interface AuditRecorderFactory {
        RequestRecorder with(PrincipalResolver principals, TenantResolver tenants);
    }

    private static Resolver resolver(String name, boolean broken) {
        return () -> {
            if (broken) {
                throw new IllegalStateException("broken");
            }
            return name;
        };
    }

    private interface Resolver extends PrincipalResolver, TenantResolver {
        String name();

        @Override
        default String principal() {
            return name();
        }

        @Override
        default String tenant() {
            return name();
        }
    }

    @Override
    public void close() {
        closing.countDown();
        answering.close();
        failing.close();
        loading.close();
        ready.close();
        refusingTemplate.close();
    }
}
