package org.bloomery.spring.audit;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import javax.crypto.spec.SecretKeySpec;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.AnsweringModel;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Completion;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.Generation;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.GenerationSink;
import org.bloomery.engine.Timings;
import org.bloomery.engine.Usage;
import org.bloomery.engine.audit.AuditException;
import org.bloomery.engine.audit.AuditRecord;
import org.bloomery.engine.audit.AuditRecord.Outcome;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.chat.ToolSpec;
import org.bloomery.spring.chat.AnswerOrigin;
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.DeferredSink;
import org.bloomery.spring.chat.RequestRecorder;
import org.bloomery.spring.chat.SerialExecutor;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.RequestTrail;
import org.bloomery.spring.security.TenantResolver;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.ToolCallingChatOptions;

/**
 * Ends every request of a chat model in exactly one record: answered, cancelled, failed or refused, wherever that happens.
 * An answer's end is told only once its record is kept; what a stream has shown before, it has shown.
 *
 * <p>Where records must be kept ({@code failClosed}), a request whose record is not fails with an {@link AuditException},
 * and where a sink already knows that it can keep none, it is refused before it costs anything.
 */
public final class AuditRecorder implements RequestRecorder, AutoCloseable {

    private static final Log log = LogFactory.getLog(AuditRecorder.class);
    /** Stands for a caller where the resolver of callers fails. */
    private static final String UNKNOWN = "unknown";

    private static final Duration LONGEST_END = Duration.ofSeconds(5);

    private final List<InferenceAuditSink> sinks;
    private final Supplier<AuditRecord.Model> model;
    private final TenantResolver tenants;
    private final PrincipalResolver principals;
    private final ContentSummary contents;
    private final boolean failClosed;
    private final Clock clock;

    private final Object monitor = new Object();
    private int underWay;

    /**
     * @param model that is asked where a request comes to none, as {@link #recorded} tells it
     * @param hmacKey key of the HMACs that stand for texts
     * @param content whether records have the texts themselves
     * @param redaction what a text goes through before a record has it
     * @param failClosed whether a request whose record is not kept fails
     */
    public AuditRecorder(
            List<InferenceAuditSink> sinks,
            Supplier<AuditRecord.Model> model,
            TenantResolver tenants,
            PrincipalResolver principals,
            String hmacKey,
            boolean content,
            UnaryOperator<String> redaction,
            boolean failClosed,
            Clock clock) {
        this.sinks = List.copyOf(sinks);
        this.model = model;
        this.tenants = tenants;
        this.principals = principals;
        this.contents = new ContentSummary(
                new SecretKeySpec(hmacKey.getBytes(StandardCharsets.UTF_8), "HmacSHA256"), content, redaction);
        this.failClosed = failClosed;
        this.clock = clock;
    }

    /** What a record says of a model of the engine's. The digest is waited for. */
    public static AuditRecord.Model recorded(AnsweringModel model) {
        String digest;
        try {
            digest = model.digest().get().join();
        } catch (CompletionException e) {
            // The engine's log and its health say why; a record without the digest says more than none
            digest = null;
        }
        return new AuditRecord.Model(model.info().name(), digest, model.info().templateHash());
    }

    @Override
    public Recording begin(Prompt prompt) {
        Entry entry = new Entry(prompt);
        synchronized (monitor) {
            underWay++;
        }
        return entry;
    }

    private void refuseWhereNoRecordCanBeKept() {
        if (failClosed) {
            for (InferenceAuditSink each : sinks) {
                String refusal = each.refusal();
                if (refusal != null) {
                    throw new AuditException(refusal);
                }
            }
        }
    }

    private void end() {
        synchronized (monitor) {
            underWay--;
            monitor.notifyAll();
        }
    }

    /** Waits for records that are being kept: the engine has ended its requests when this is called. */
    @Override
    public void close() {
        long deadline = System.nanoTime() + LONGEST_END.toNanos();
        synchronized (monitor) {
            while (underWay > 0 && System.nanoTime() < deadline) {
                try {
                    monitor.wait(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    /** One request, until its record is kept. */
    private final class Entry implements Recording {

        private final Instant time = clock.instant();
        private final RequestTrail trail = new RequestTrail();
        private final SerialExecutor tasks = new SerialExecutor();
        /** Whether the request is on its way, or given up before. */
        private final AtomicBoolean begun = new AtomicBoolean();

        private final AtomicBoolean ended = new AtomicBoolean();
        private final Prompt prompt;
        private final String principal;
        private final String tenant;
        private @Nullable RuntimeException unknownCaller;
        private volatile @Nullable Audited audited;

        Entry(Prompt prompt) {
            this.prompt = prompt;
            this.principal = known(principals::principal);
            this.tenant = known(tenants::tenant);
        }

        /** A caller who cannot be told is refused once the request is submitted, and is recorded all the same. */
        private String known(Supplier<String> resolver) {
            try {
                return Objects.requireNonNull(resolver.get());
            } catch (RuntimeException e) {
                unknownCaller = e;
                return UNKNOWN;
            }
        }

        @Override
        public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
            if (!begun.compareAndSet(false, true)) {
                throw new CancellationException("The request was cancelled before anything was asked.");
            }
            Audited answer = new Audited(this, request, sink);
            audited = answer;
            if (unknownCaller != null) {
                throw unknownCaller;
            }
            refuseWhereNoRecordCanBeKept();
            try {
                return answer.over(trail.during(() -> next.submit(request, answer)));
            } finally {
                answer.submitted.complete(null);
            }
        }

        @Override
        public void cancelled() {
            if (begun.compareAndSet(false, true)) {
                tasks.execute(() -> keep(() -> record(Outcome.CANCELLED, null, null)));
            }
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // No exception can be suppressed in itself
        public void refused(Throwable error) {
            Outcome outcome = error instanceof CancellationException ? Outcome.CANCELLED : Outcome.REFUSED;
            RuntimeException failure = keep(() -> record(outcome, null, error));
            if (failure != null && failure != error) {
                error.addSuppressed(failure);
            }
        }

        /** Gives a record to every sink, and says which failure there was. */
        private @Nullable RuntimeException keep(Supplier<AuditRecord> made) {
            if (!ended.compareAndSet(false, true)) {
                return null;
            }
            Throwable failure = null;
            try {
                AuditRecord record = made.get();
                for (InferenceAuditSink each : sinks) {
                    try {
                        each.keep(record);
                    } catch (RuntimeException | Error e) {
                        failure = failure == null ? e : failure;
                    }
                }
            } catch (RuntimeException | Error e) {
                failure = e;
            } finally {
                end();
            }
            if (failure == null) {
                return null;
            }
            // What a foreign sink says may have text of the record in it
            String reason = failure instanceof AuditException
                    ? String.valueOf(failure.getMessage())
                    : failure.getClass().getName();
            log.error("The audit record of a request was not kept: " + reason);
            return failure instanceof AuditException known
                    ? known
                    : new AuditException("The audit record of a request was not kept (" + reason + ").");
        }

        private AuditRecord answered(Completion completion) {
            return record(
                    completion.finishReason() == FinishReason.CANCELLED ? Outcome.CANCELLED : Outcome.COMPLETED,
                    completion,
                    null);
        }

        private AuditRecord record(Outcome outcome, @Nullable Completion completion, @Nullable Throwable error) {
            Audited answer = audited;
            return new AuditRecord(
                    time,
                    completion != null
                            ? completion.id()
                            : answer == null ? null : answer.generation().idOrNull(),
                    principal,
                    tenant,
                    answer == null ? model.get() : answer.model(),
                    answer == null ? options(prompt) : options(answer.request),
                    outcome,
                    completion == null ? null : completion.finishReason().name(),
                    error == null ? null : typeName(error),
                    completion == null ? null : tokens(completion.usage()),
                    trail.verdicts(),
                    completion == null || answer == null ? List.of() : toolNames(answer.request, completion),
                    completion == null ? null : spent(completion.timings()),
                    answer == null ? contents.of(prompt) : contents.of(answer.request),
                    completion == null ? null : contents.of(completion));
        }
    }

    /** The answer to a request on its way. */
    private final class Audited extends DeferredSink {

        private final Entry entry;
        private final GenerationRequest request;
        private final AnswerOrigin origin = AnswerOrigin.current();
        /** Until it is known which generation is behind this answer, or that there is none. */
        private final CompletableFuture<@Nullable Void> submitted = new CompletableFuture<>();

        Audited(Entry entry, GenerationRequest request, GenerationSink sink) {
            super(sink);
            this.entry = entry;
            this.request = request;
        }

        /** Who answers. */
        AuditRecord.Model model() {
            String other = origin.overflow();
            if (other != null) {
                return new AuditRecord.Model(other, null, null);
            }
            AnsweringModel own = generation().model();
            return own == null ? model.get() : recorded(own);
        }

        @Override
        public void onComplete(Completion completion) {
            end(() -> {
                RuntimeException failure = entry.keep(() -> entry.answered(completion));
                if (failure != null && failClosed) {
                    fail(failure);
                } else {
                    complete(completion);
                }
            });
        }

        @Override
        public void onError(RuntimeException error) {
            end(() -> {
                RuntimeException failure = entry.keep(() -> entry.record(Outcome.FAILED, null, error));
                if (failure != null) {
                    error.addSuppressed(failure);
                }
                fail(error);
            });
        }

        /** An answer may end before its submission has returned. */
        private void end(Runnable task) {
            entry.tasks.execute(() -> {
                submitted.join();
                task.run();
            });
        }
    }

    /** A name that was not offered is the model's own word, so it is text of the answer. */
    private static List<String> toolNames(GenerationRequest request, Completion completion) {
        Set<String> offered = new HashSet<>();
        if (request instanceof ChatRequest chat) {
            chat.tools().stream().map(ToolSpec::name).forEach(offered::add);
        }
        return completion.toolCalls().stream()
                .map(ToolCall::name)
                .map(name -> offered.contains(name) ? name : "(not offered)")
                .toList();
    }

    private static String typeName(Throwable error) {
        Class<?> type = error.getClass();
        return type.isAnonymousClass() ? type.getSuperclass().getSimpleName() : type.getSimpleName();
    }

    /** What is told of a request that the chat model did not understand. */
    private static SortedMap<String, Object> options(Prompt prompt) {
        SortedMap<String, Object> options = new TreeMap<>();
        options.put("messages", prompt.getInstructions().size());
        if (prompt.getOptions() instanceof ToolCallingChatOptions tools && tools.getToolCallbacks() != null) {
            options.put("toolsOffered", tools.getToolCallbacks().size());
        }
        return options;
    }

    private static SortedMap<String, Object> options(GenerationRequest request) {
        GenerationOptions given = request.options();
        SortedMap<String, Object> options = new TreeMap<>();
        if (request instanceof ChatRequest chat) {
            options.put("messages", chat.messages().size());
            options.put("toolsOffered", chat.tools().size());
            options.put("toolChoice", chat.toolChoice().mode().name());
            options.put("thinking", chat.thinking().mode().name());
            put(options, "thinkingBudget", chat.thinking().budget());
        }
        options.put("temperature", given.sampling().temperature());
        options.put("topK", given.sampling().topK());
        options.put("topP", given.sampling().topP());
        options.put("minP", given.sampling().minP());
        options.put("stopStrings", given.stop().size());
        put(options, "maxTokens", given.maxTokens());
        put(options, "seed", given.sampling().seed());
        put(options, "logProbabilities", given.logProbabilities());
        put(
                options,
                "timeoutMillis",
                given.timeout() == null ? null : given.timeout().toMillis());
        put(
                options,
                "constraint",
                given.constraint() == null
                        ? null
                        : given.constraint().getClass().getSimpleName());
        return options;
    }

    private static void put(Map<String, Object> options, String name, @Nullable Object value) {
        if (value != null) {
            options.put(name, value);
        }
    }

    private static AuditRecord.Tokens tokens(Usage usage) {
        return new AuditRecord.Tokens(usage.promptTokens(), usage.completionTokens(), usage.cachedTokens());
    }

    private static AuditRecord.Spent spent(Timings timings) {
        return new AuditRecord.Spent(
                timings.queued(),
                timings.timeToFirstToken().minus(timings.queued()),
                timings.total().minus(timings.timeToFirstToken()));
    }
}
