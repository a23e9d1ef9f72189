package org.bloomery.spring.chat;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.bloomery.engine.Completion;
import org.bloomery.engine.Engine;
import org.bloomery.engine.EngineUnavailableException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.InvalidOptionException;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.MessageAggregator;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.observation.ChatModelObservationDocumentation;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.util.Assert;
import reactor.core.publisher.Flux;
import reactor.util.context.ContextView;

/**
 * A chat model that answers inside this JVM. Safe for use by many threads; callers wait, they never compute.
 *
 * <p>A prompt's {@link BloomeryChatOptions} are used as they are, a prompt without options gets this model's, and any
 * other options are combined with this model's. A finish reason is the name of a {@link FinishReason}; an answer that
 * was cut short says so by LENGTH, DEADLINE, SHUTDOWN or GUARD. Tool calls are asked for, not executed: that is the work of
 * {@code ChatClient}'s tool-calling advisor.
 *
 * <p>A stream consists of pieces of the answer and one last response with the finish reason, the usage and the tool
 * calls. Cancelling it stops the generation.
 */
public class BloomeryChatModel implements ChatModel {

    /** The provider's name, in {@code spring.ai.model.chat} and in observations. */
    public static final String PROVIDER = "bloomery";

    /** Metadata key of an assistant message: the model's thinking, in pieces while it streams and whole at the end. */
    public static final String REASONING = "reasoningContent";

    /** Metadata key of a last response: its {@link org.bloomery.engine.Timings}. */
    public static final String TIMINGS = "timings";

    /** Metadata key of every response that is not the engine's but another model's: true. */
    public static final String OVERFLOW = "overflow";

    /** Metadata key of a last generation: a list of {@link org.bloomery.engine.TokenLogProbability} where asked for. */
    public static final String LOG_PROBABILITIES = "logProbabilities";

    private static final ChatModelObservationConvention DEFAULT_CONVENTION =
            new DefaultChatModelObservationConvention();

    /** Stands for the model's name while none is loaded. */
    private static final String UNKNOWN = "unknown";

    private final Answering engine;
    private final Supplier<String> modelName;
    /** Of the models that have answered here. */
    private final Set<String> names = ConcurrentHashMap.newKeySet();

    private final BloomeryChatOptions options;
    private final ObservationRegistry observationRegistry;
    private final @Nullable ChatModelObservationConvention observationConvention;
    private final RequestRecorder recorder;

    BloomeryChatModel(
            Answering engine,
            Supplier<String> modelName,
            BloomeryChatOptions options,
            ObservationRegistry observationRegistry,
            @Nullable ChatModelObservationConvention observationConvention,
            RequestRecorder recorder) {
        this.engine = engine;
        this.modelName = modelName;
        this.options = options;
        this.observationRegistry = observationRegistry;
        this.observationConvention = observationConvention;
        this.recorder = recorder;
    }

    BloomeryChatModel(
            Answering engine,
            String modelName,
            BloomeryChatOptions options,
            ObservationRegistry observationRegistry,
            @Nullable ChatModelObservationConvention observationConvention) {
        this(engine, () -> modelName, options, observationRegistry, observationConvention, RequestRecorder.NONE);
    }

    /** A model over this engine, which stays the caller's to close. */
    public static Builder builder(Engine engine) {
        return new Builder(engine);
    }

    @Override
    public BloomeryChatOptions getOptions() {
        return named(options, currentName());
    }

    /**
     * {@inheritDoc}
     *
     * @throws org.bloomery.engine.EngineException if the request is refused or fails, also while the model is being loaded
     * @throws CancellationException if the thread is interrupted; its interrupt flag stays set
     */
    @Override
    public ChatResponse call(Prompt prompt) {
        RequestRecorder.Recording recording = recorder.begin(prompt);
        try {
            return call(prompt, recording);
        } catch (RuntimeException | Error e) {
            recording.refused(e);
            throw e;
        }
    }

    private ChatResponse call(Prompt prompt, RequestRecorder.Recording recording) {
        String model = currentName();
        BloomeryChatOptions chosen = optionsOf(prompt, model);
        ChatModelObservationContext context = observed(prompt, chosen, false);
        return observation(context).observe(() -> {
            AnswerOrigin origin = new AnswerOrigin(false);
            Completion completion = origin.during(
                            () -> recording.submit(request(prompt, chosen), GenerationSink.NONE, engine))
                    .await();
            if (completion.finishReason() == FinishReason.CANCELLED) {
                throw new CancellationException("The wait for answer " + completion.id()
                        + " was interrupted, so its generation was cancelled.");
            }
            ChatResponse response = new ResponseMapper(model, origin).whole(completion);
            context.setResponse(counted(response, origin));
            return response;
        });
    }

    @Override
    public Flux<ChatResponse> stream(Prompt prompt) {
        return Flux.deferContextual(subscriber -> {
            RequestRecorder.Recording recording = AnswerStream.withContext(subscriber, () -> recorder.begin(prompt));
            try {
                return stream(prompt, recording, subscriber);
            } catch (RuntimeException | Error e) {
                return AnswerStream.refused(recording, e);
            }
        });
    }

    private Flux<ChatResponse> stream(Prompt prompt, RequestRecorder.Recording recording, ContextView subscriber) {
        String model = currentName();
        BloomeryChatOptions chosen = optionsOf(prompt, model);
        ChatModelObservationContext context = observed(prompt, chosen, true);
        Observation observation = observation(context);
        Observation parent = subscriber.getOrDefault(ObservationThreadLocalAccessor.KEY, null);
        observation.parentObservation(parent);
        if (parent == null) {
            observation.start();
        } else {
            Runnable start = observation::start;
            parent.scoped(start);
        }
        AnswerOrigin origin = new AnswerOrigin(true);
        Flux<ChatResponse> answer = AnswerStream.of(
                        origin, recording, sink -> recording.submit(request(prompt, chosen), sink, engine), model)
                .doOnError(observation::error)
                .doFinally(signal -> observation.stop())
                .contextWrite(written -> written.put(ObservationThreadLocalAccessor.KEY, observation));
        // Outermost, so that the whole response is in the context before the observation stops.
        return new MessageAggregator().aggregate(answer, whole -> context.setResponse(counted(whole, origin)));
    }

    /** What is observed of a response. Another model's tokens are counted where that model is observed, and only there. */
    private static ChatResponse counted(ChatResponse response, AnswerOrigin origin) {
        if (origin.overflow() == null) {
            return response;
        }
        ChatResponseMetadata metadata = response.getMetadata();
        return new ChatResponse(
                response.getResults(),
                ChatResponseMetadata.builder()
                        .id(metadata.getId())
                        .model(metadata.getModel())
                        .build());
    }

    private static GenerationRequest request(Prompt prompt, BloomeryChatOptions options) {
        return RequestMapper.request(prompt.getInstructions(), options);
    }

    private Observation observation(ChatModelObservationContext context) {
        return ChatModelObservationDocumentation.CHAT_MODEL_OPERATION.observation(
                observationConvention, DEFAULT_CONVENTION, () -> context, observationRegistry);
    }

    private static ChatModelObservationContext observed(Prompt prompt, BloomeryChatOptions options, boolean streaming) {
        return ChatModelObservationContext.builder()
                .prompt(new Prompt(prompt.getInstructions(), options))
                .provider(PROVIDER)
                .streaming(streaming)
                .build();
    }

    private BloomeryChatOptions optionsOf(Prompt prompt, String model) {
        return switch (prompt.getOptions()) {
            case null -> named(options, model);
            case BloomeryChatOptions ours -> named(ours, model);
            case ChatOptions foreign ->
                named(options.mutate().combineWith(portable(foreign)).build(), model);
        };
    }

    /**
     * What a foreign options class shares with ours, read by its getters: Spring AI's combineWith sees nothing in a
     * builder of another family.
     */
    private static ChatOptions.Builder<?> portable(ChatOptions foreign) {
        BloomeryChatOptions.Builder builder = BloomeryChatOptions.builder()
                .model(foreign.getModel())
                .frequencyPenalty(foreign.getFrequencyPenalty())
                .maxTokens(foreign.getMaxTokens())
                .presencePenalty(foreign.getPresencePenalty())
                .stopSequences(foreign.getStopSequences())
                .temperature(foreign.getTemperature())
                .topK(foreign.getTopK())
                .topP(foreign.getTopP());
        if (foreign instanceof ToolCallingChatOptions tools) {
            builder.toolCallbacks(tools.getToolCallbacks()).toolContext(tools.getToolContext());
        }
        if (foreign instanceof StructuredOutputChatOptions structured) {
            builder.outputSchema(structured.getOutputSchema());
        }
        return builder;
    }

    /** A request for an engine without a model goes on: it is refused, recorded, or answered by another, on its way. */
    private String currentName() {
        try {
            String name = modelName.get();
            names.add(name);
            return name;
        } catch (EngineUnavailableException e) {
            return UNKNOWN;
        }
    }

    /**
     * The options with this model's name, which observations show; another name is refused, unless it is of a model that
     * answered here before, since whoever took the options over may not know of the change.
     */
    private BloomeryChatOptions named(BloomeryChatOptions given, String model) {
        if (model.equals(UNKNOWN)) {
            return given;
        }
        String name = given.getModel();
        if (name != null && !names.contains(name)) {
            throw new InvalidOptionException("Option 'model' is '" + name + "', but the model loaded here is '" + model
                    + "'; leave the option out or set it to that name.");
        }
        return model.equals(name) ? given : given.mutate().model(model).build();
    }

    /** Collects what a chat model needs. Not safe for use by several threads. */
    public static final class Builder {

        private final Engine engine;
        private BloomeryChatOptions options = BloomeryChatOptions.builder().build();
        private ObservationRegistry observationRegistry = ObservationRegistry.NOOP;
        private @Nullable ChatModelObservationConvention observationConvention;
        private List<GenerationInterceptor> interceptors = List.of();
        private RequestRecorder recorder = RequestRecorder.NONE;

        private Builder(Engine engine) {
            Assert.notNull(engine, "engine must not be null");
            this.engine = engine;
        }

        /** What a prompt without options gets. */
        public Builder options(BloomeryChatOptions options) {
            this.options = options;
            return this;
        }

        public Builder observationRegistry(ObservationRegistry observationRegistry) {
            this.observationRegistry = observationRegistry;
            return this;
        }

        /** Names and key values of observations, instead of Spring AI's own. */
        public Builder observationConvention(@Nullable ChatModelObservationConvention observationConvention) {
            this.observationConvention = observationConvention;
            return this;
        }

        /** What stands between the model and its engine, the first outermost. */
        public Builder interceptors(List<GenerationInterceptor> interceptors) {
            this.interceptors = List.copyOf(interceptors);
            return this;
        }

        /** What keeps account of every request. */
        public Builder recorder(RequestRecorder recorder) {
            this.recorder = recorder;
            return this;
        }

        public BloomeryChatModel build() {
            return new BloomeryChatModel(
                    GenerationInterceptor.chain(
                            interceptors,
                            PhaseObservations.of(
                                    (request, sink) -> engine.submit(request, sink, CallerScope.current()),
                                    observationRegistry)),
                    () -> engine.model().name(),
                    options,
                    observationRegistry,
                    observationConvention,
                    recorder);
        }
    }
}
