package org.bloomery.engine;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Backends;
import org.bloomery.engine.backend.Isolation;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.MemoryPlan;
import org.bloomery.engine.chat.AnswerParser;
import org.bloomery.engine.chat.ChatFormat;
import org.bloomery.engine.chat.ChatTurn;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.Metadata;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.bloomery.engine.grammar.GrammarException;
import org.bloomery.engine.grammar.Grammars;
import org.bloomery.engine.grammar.Shape;
import org.bloomery.engine.sampling.Sampler;
import org.bloomery.engine.sampling.SamplingOptions;
import org.bloomery.engine.sampling.SequenceBreakers;
import org.bloomery.engine.scheduler.Scheduler;
import org.bloomery.engine.scheduler.SchedulerStats;
import org.bloomery.engine.scheduler.Sequence;
import org.bloomery.engine.template.TemplateException;
import org.bloomery.engine.tokenizer.Tokenizer;
import org.bloomery.engine.tokenizer.Tokenizers;
import org.bloomery.engine.worker.WorkerProvider;
import org.jspecify.annotations.Nullable;

/** One model of an engine, loaded, with everything that depends on it. Safe for use by many threads. */
final class LoadedModel implements AutoCloseable {

    private static final int DEFAULT_CONTEXT_LENGTH = 8192;
    private static final int MAX_CACHED_BREAKERS = 16;

    private final EngineOptions options;
    private final Tokenizer tokenizer;
    private final ChatFormat chatFormat;
    private final ModelInfo model;
    private final Backend backend;
    private final String backendReason;
    private final Scheduler scheduler;
    private final FileDigest digest;
    private final Duration loadTime;
    private final Listeners listeners;
    /** Whether another model has taken its place, so that what it refuses is asked of that one. */
    private volatile boolean retired;

    private final String idPrefix =
            HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt()) + "-";
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final Map<List<String>, SequenceBreakers> breakers = new ConcurrentHashMap<>();
    private final Grammars grammars;

    private LoadedModel(
            EngineOptions options,
            Tokenizer tokenizer,
            ChatFormat chatFormat,
            ModelInfo model,
            Backend backend,
            String backendReason,
            Grammars grammars,
            Scheduler scheduler,
            FileDigest digest,
            Duration loadTime,
            Listeners listeners) {
        this.options = options;
        this.tokenizer = tokenizer;
        this.chatFormat = chatFormat;
        this.model = model;
        this.backend = backend;
        this.backendReason = backendReason;
        this.scheduler = scheduler;
        this.digest = digest;
        this.loadTime = loadTime;
        this.listeners = listeners;
        scheduler.listen(listeners);
        this.grammars = grammars;
    }

    /**
     * Opens a model with the backend that the options name, or the best available one.
     *
     * @throws EngineException naming what is wrong with the file, the options or the machine
     */
    static LoadedModel open(EngineOptions options, LoadProgress progress, Listeners listeners) {
        ModelFile file = GgufReader.open(options.model(), options.loadMode());
        boolean opened = false;
        try {
            LoadedModel model = open(file, options, progress, listeners);
            opened = true;
            return model;
        } finally {
            if (!opened) {
                file.close();
            }
        }
    }

    private static LoadedModel open(ModelFile file, EngineOptions options, LoadProgress progress, Listeners listeners) {
        long start = System.nanoTime();
        FileDigest digest = new FileDigest(file.parts());
        // Beside the weights: large vocabularies take their time
        FutureTask<Tokenizer> reading = new FutureTask<>(() -> Tokenizers.from(file.metadata()));
        Thread.ofPlatform().name("bloomery-tokenizer").daemon().start(reading);
        BackendOptions wanted = new BackendOptions(
                contextLength(file, options.contextLength()),
                options.maxSequences(),
                options.batchTokens(),
                options.threads(),
                options.kernels(),
                options.cacheType(),
                options.repack(),
                options.devices());
        Backends.Opened opened = Backends.open(
                file,
                options.backend(),
                wanted,
                progress,
                options.isolation() == Isolation.WORKER ? WorkerProvider::new : UnaryOperator.identity());
        boolean complete = false;
        try {
            LoadedModel model = open(file, options, opened, result(reading), digest, start, listeners);
            complete = true;
            return model;
        } finally {
            if (!complete) {
                opened.backend().close();
            }
        }
    }

    private static LoadedModel open(
            ModelFile file,
            EngineOptions options,
            Backends.Opened opened,
            Tokenizer tokenizer,
            FileDigest digest,
            long start,
            Listeners listeners) {
        String template = options.chatTemplate();
        if (template == null && file.metadata().contains("tokenizer.chat_template")) {
            template = file.metadata().string("tokenizer.chat_template");
        }
        ChatFormat chatFormat = ChatFormat.of(template, tokenizer);
        ModelInfo model = describe(file, tokenizer, options.contextLength(), template);
        Grammars grammars = new Grammars(tokenizer);
        // Last, since it has a thread: what fails before leaves none behind
        Scheduler scheduler = new Scheduler(
                opened.backend(),
                tokenizer::isEndOfGeneration,
                options.queueCapacity(),
                options.queueTokens(),
                options.prefixReuse(),
                file::close);
        return new LoadedModel(
                options,
                tokenizer,
                chatFormat,
                model,
                opened.backend(),
                opened.reason(),
                grammars,
                scheduler,
                digest,
                Duration.ofNanos(System.nanoTime() - start),
                listeners);
    }

    private static ModelInfo describe(
            ModelFile file, Tokenizer tokenizer, int contextLength, @Nullable String template) {
        Metadata metadata = file.metadata();
        int trained = trainedContextLength(metadata);
        long parameters = 0;
        Map<TensorType, Long> elements = new EnumMap<>(TensorType.class);
        for (TensorInfo tensor : file.tensors()) {
            parameters += tensor.elements();
            elements.merge(tensor.type(), tensor.elements(), Long::sum);
        }
        String quantization = elements.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(most -> most.getKey().name())
                .orElse("none");
        String fileName = String.valueOf(file.path().getFileName());
        return new ModelInfo(
                metadata.string("general.name", fileName.replaceFirst("\\.gguf$", "")),
                metadata.string("general.architecture"),
                parameters,
                quantization,
                file.fileBytes(),
                trained,
                contextLength(file, contextLength),
                tokenizer.vocabSize(),
                template != null,
                template == null ? null : sha256(template));
    }

    /** Where it is missing the backend refuses the model, with a better word if it does not know the architecture at all. */
    private static int trainedContextLength(Metadata metadata) {
        return metadata.int32(metadata.string("general.architecture") + ".context_length", DEFAULT_CONTEXT_LENGTH);
    }

    private static int contextLength(ModelFile file, int wanted) {
        int trained = trainedContextLength(file.metadata());
        if (wanted > trained) {
            throw new InvalidOptionException("Option 'context-length' is " + wanted + ", but the model "
                    + file.path().getFileName() + " was trained for " + trained + " tokens; lower it.");
        }
        return wanted > 0 ? wanted : Math.min(trained, DEFAULT_CONTEXT_LENGTH);
    }

    private static <T> T result(FutureTask<T> task) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw e.getCause() instanceof RuntimeException cause
                            ? cause
                            : new EngineException("The model's vocabulary could not be read.", e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new EngineException("This JVM has no SHA-256, which every JVM must have.", e);
        }
    }

    /** What was loaded. */
    ModelInfo model() {
        return model;
    }

    /** As {@link Engine#modelDigest}. */
    CompletableFuture<String> digest() {
        return digest.sha256();
    }

    Path file() {
        return options.model();
    }

    Optional<String> checkTool(ToolSpec tool) {
        return chatFormat.checkTool(tool);
    }

    /** The model's tokenizer. */
    Tokenizer tokenizer() {
        return tokenizer;
    }

    /** Figures at this moment. */
    EngineStats stats() {
        SchedulerStats s = scheduler.stats();
        return new EngineStats(
                s.state(),
                model,
                backend.info(),
                backendReason,
                s.active(),
                s.queued(),
                s.completed(),
                s.cutOff(),
                s.failed(),
                s.refused() + refused.get(),
                s.cancelled(),
                s.promptTokens(),
                s.cachedTokens(),
                s.completionTokens(),
                s.prefixHits(),
                s.prefillBacklog(),
                s.cache(),
                loadTime,
                s.steps(),
                Duration.ofNanos(s.medianStepNanos()),
                Duration.ofNanos(s.sinceProgressNanos()));
    }

    EngineState state() {
        return scheduler.state();
    }

    void onStateChange(Consumer<EngineState> listener) {
        scheduler.listen(listener);
    }

    /** Another model takes its place: what it refuses from now on is no refusal of the engine's. */
    void retire() {
        retired = true;
    }

    /** Gives up what the backend is at, since it gets nowhere. */
    void abandonStep() {
        backend.abandon();
    }

    /** A few lines that say what was loaded, how and why. */
    List<String> report() {
        BackendInfo info = backend.info();
        MemoryPlan memory = info.memory();
        String template = model.templateHash();
        return List.of(
                "Model " + model.name() + ": " + model.architecture() + ", " + count(model.parameters())
                        + " parameters, mostly " + model.quantization() + ", " + bytes(model.fileBytes())
                        + ", vocabulary of " + model.vocabSize() + ", "
                        + (template == null ? "no chat template" : "chat template " + template.substring(0, 12)),
                "Context " + model.contextLength() + " tokens (trained for " + model.trainedContextLength() + "), "
                        + info.maxSequences() + " sequences at once, batches of up to " + info.maxBatchTokens()
                        + " tokens, queue of " + options.queueCapacity(),
                "Backend " + info.backend() + " (" + backendReason + "), " + info.threads()
                        + (info.threads() == 1 ? " thread (" : " threads (") + info.threadsReason() + ")",
                "Kernels " + info.kernels() + ": " + info.kernelsReason(),
                "Devices: " + info.devices(),
                "Memory " + bytes(memory.total()) + ": weights " + bytes(memory.weights()) + ", repacked weights "
                        + bytes(memory.repacked()) + ", " + options.cacheType() + " cache " + bytes(memory.cache())
                        + ", workspace " + bytes(memory.workspace()));
    }

    private static String count(long n) {
        if (n >= 1_000_000_000) {
            return String.format(Locale.ROOT, "%.1f billion", n / 1e9);
        }
        return n >= 1_000_000 ? String.format(Locale.ROOT, "%.1f million", n / 1e6) : Long.toString(n);
    }

    private static String bytes(long n) {
        if (n >= 1L << 30) {
            return String.format(Locale.ROOT, "%.1f GiB", n / (double) (1L << 30));
        }
        return n >= 1L << 20
                ? String.format(Locale.ROOT, "%.1f MiB", n / (double) (1L << 20))
                : (n + 1023) / 1024 + " KiB";
    }

    /** Tokens of the prompt that a request renders to. */
    int countTokens(GenerationRequest request) {
        return tokens(spans(request, request instanceof ChatRequest chat ? turn(chat) : null)).length;
    }

    /** As {@link Engine#submit(GenerationRequest, GenerationSink, Caller)}. */
    Generation submit(GenerationRequest request, GenerationSink sink, Caller caller) {
        String id = idPrefix + requests.incrementAndGet();
        try {
            return admit(id, request, sink, caller);
        } catch (EngineException e) {
            if (retired && e instanceof EngineClosedException) {
                listeners.refused(id, operation(request), EngineListener.Refusal.REPLACED);
                throw e;
            }
            if (!(e instanceof EngineOverloadedException || e instanceof EngineClosedException)) {
                // Those are counted by the scheduler.
                refused.incrementAndGet();
            }
            listeners.refused(id, operation(request), refusal(e));
            throw e;
        }
    }

    static EngineListener.Operation operation(GenerationRequest request) {
        return switch (request) {
            case ChatRequest chat -> EngineListener.Operation.CHAT;
            case CompletionRequest completion -> EngineListener.Operation.COMPLETION;
        };
    }

    private static EngineListener.Refusal refusal(EngineException error) {
        return switch (error) {
            case EngineOverloadedException e ->
                e.reason() == EngineOverloadedException.Reason.DEADLINE
                        ? EngineListener.Refusal.DEADLINE
                        : EngineListener.Refusal.OVERLOADED;
            case EngineClosedException e -> EngineListener.Refusal.CLOSED;
            case ContextLengthExceededException e -> EngineListener.Refusal.CONTEXT_LENGTH;
            case GrammarException e -> EngineListener.Refusal.CONSTRAINT;
            case TemplateException e -> EngineListener.Refusal.TEMPLATE;
            default -> EngineListener.Refusal.INVALID;
        };
    }

    private Generation admit(String id, GenerationRequest request, GenerationSink sink, Caller caller) {
        long submitted = System.nanoTime();
        ChatTurn turn = request instanceof ChatRequest chat ? turn(chat) : null;
        int[] prompt = tokens(spans(request, turn));
        if (prompt.length == 0) {
            throw new InvalidOptionException("The prompt has no tokens; it needs at least one.");
        }
        GenerationOptions wanted = request.options();
        int maxTokens = maxTokens(prompt.length, wanted.maxTokens());
        Duration timeout = wanted.timeout() != null ? wanted.timeout() : options.defaultTimeout();
        SamplingOptions sampling = biased(wanted);
        Constraint constraint = wanted.constraint();
        boolean constrained = constraint != null;
        Shape shape = turn != null ? turn.shape(constrained) : constrained ? Shape.ANSWER : null;
        Answer answer = new Answer(
                id,
                new AnsweringModel(model, digest::sha256),
                tokenizer,
                new StopStrings(wanted.stop()),
                turn == null ? AnswerParser.plainText() : turn.parser(LoadedModel::toolCallId, constrained),
                turn == null ? ReasoningLimit.NONE : reasoningLimit(turn),
                sink,
                listeners,
                operation(request),
                prompt.length,
                submitted);
        Sequence sequence = new Sequence(
                caller,
                prompt,
                maxTokens,
                submitted + saturatedNanos(timeout),
                wanted.logProbabilities() == null ? -1 : wanted.logProbabilities(),
                new Sampler(
                        sampling,
                        breakers(sampling.dry()),
                        ThreadLocalRandom.current().nextLong(),
                        shape == null ? null : grammars.matcher(constraint, shape)),
                answer);
        if (turn != null && !turn.beginning().isEmpty()) {
            sequence.force(mark(turn.beginning()));
        }
        answer.startWith(scheduler, sequence);
        return answer;
    }

    private ChatTurn turn(ChatRequest chat) {
        return chatFormat.turn(
                chat.messages(), chat.tools(), chat.toolChoice(), chat.thinking(), chat.templateArguments());
    }

    private static List<TextSpan> spans(GenerationRequest request, @Nullable ChatTurn turn) {
        return turn != null ? turn.prompt() : ((CompletionRequest) request).prompt();
    }

    /** The sampling with biases of texts as biases of their tokens. */
    private SamplingOptions biased(GenerationOptions wanted) {
        if (wanted.textBias().isEmpty()) {
            return wanted.sampling();
        }
        Map<Integer, Double> biases = new HashMap<>(wanted.sampling().logitBias());
        wanted.textBias().forEach((text, bias) -> {
            for (int token : tokenizer.encode(List.of(TextSpan.untrusted(text)), false)) {
                biases.merge(token, bias, (a, b) -> Math.clamp(a + b, -100.0, 100.0));
            }
        });
        return wanted.sampling().withLogitBias(biases);
    }

    private ReasoningLimit reasoningLimit(ChatTurn turn) {
        int limit = turn.reasoningLimit();
        return limit < 0 ? ReasoningLimit.NONE : new ReasoningLimit(limit, mark(turn.reasoningEnd()));
    }

    private int[] mark(String text) {
        return tokenizer.encode(List.of(TextSpan.trusted(text)), false);
    }

    /** The prompt's tokens, with the begin token where the model wants one and the template has not written it. */
    private int[] tokens(List<TextSpan> spans) {
        int[] tokens = tokenizer.encode(spans, false);
        int bos = tokenizer.bosToken();
        if (!tokenizer.addsBos() || bos < 0 || (tokens.length > 0 && tokens[0] == bos)) {
            return tokens;
        }
        int[] withBos = new int[tokens.length + 1];
        withBos[0] = bos;
        System.arraycopy(tokens, 0, withBos, 1, tokens.length);
        return withBos;
    }

    private int maxTokens(int promptTokens, @Nullable Integer wanted) {
        int left = model.contextLength() - promptTokens;
        int maxTokens = wanted != null ? wanted : Math.max(1, Math.min(Engine.DEFAULT_MAX_TOKENS, left));
        if (maxTokens > left) {
            throw new ContextLengthExceededException(promptTokens, maxTokens, model.contextLength());
        }
        return maxTokens;
    }

    private static long saturatedNanos(Duration time) {
        // Half of what nanoTime can tell apart: a longer deadline would lie in the past.
        Duration longest = Duration.ofNanos(Long.MAX_VALUE / 2);
        return time.compareTo(longest) < 0 ? time.toNanos() : longest.toNanos();
    }

    private SequenceBreakers breakers(SamplingOptions.Dry dry) {
        if (dry.multiplier() == 0) {
            return SequenceBreakers.NONE;
        }
        if (breakers.size() > MAX_CACHED_BREAKERS) {
            breakers.clear();
        }
        return breakers.computeIfAbsent(dry.sequenceBreakers(), list -> SequenceBreakers.of(tokenizer, list));
    }

    /** Nine letters or digits: some templates refuse any other id. */
    private static String toolCallId() {
        long smallest = 2_821_109_907_456L; // 36 to the power of 8
        return Long.toString(ThreadLocalRandom.current().nextLong(smallest, 36 * smallest), 36);
    }

    /**
     * Refuses new requests and waits for those under way.
     *
     * @return whether all ended within the time
     */
    boolean drain(Duration time) {
        return scheduler.drain(time);
    }

    /** Stops taking requests, ends running ones with {@link FinishReason#SHUTDOWN} and frees the model. Idempotent. */
    @Override
    public void close() {
        digest.close();
        scheduler.close();
    }
}
