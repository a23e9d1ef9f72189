package org.bloomery.spring.audit;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import javax.crypto.spec.SecretKeySpec;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
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
import org.bloomery.spring.chat.Answering;
import org.bloomery.spring.chat.DeferredSink;
import org.bloomery.spring.chat.GenerationInterceptor;
import org.bloomery.spring.chat.InterceptorOrder;
import org.bloomery.spring.chat.SerialExecutor;
import org.bloomery.spring.security.PrincipalResolver;
import org.bloomery.spring.security.RefusalListener;
import org.bloomery.spring.security.RequestTrail;
import org.bloomery.spring.security.TenantResolver;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;

/**
 * Ends every request in exactly one record: answered, cancelled, failed or refused. An answer's end is told only once its
 * record is kept; what a stream has shown before, it has shown.
 *
 * <p>Where records must be kept ({@code failClosed}), a request whose record is not fails with an {@link AuditException},
 * and where a sink already knows that it can keep none, it is refused before it costs anything.
 */
public final class AuditInterceptor implements GenerationInterceptor, RefusalListener, Ordered, AutoCloseable {

    private static final Log log = LogFactory.getLog(AuditInterceptor.class);
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
     * @param model that answers now
     * @param hmacKey key of the HMACs that stand for texts
     * @param content whether records have the texts themselves
     * @param redaction what a text goes through before a record has it
     * @param failClosed whether a request whose record is not kept fails
     */
    public AuditInterceptor(
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

    @Override
    public int getOrder() {
        return InterceptorOrder.AUDIT;
    }

    @Override
    public Generation submit(GenerationRequest request, GenerationSink sink, Answering next) {
        refuseWhereNoRecordCanBeKept();
        Audited audited = new Audited(request, sink);
        begin();
        try {
            Generation behind = audited.trail.during(() -> next.submit(request, audited));
            return audited.over(behind);
        } catch (RuntimeException | Error e) {
            audited.refused(e);
            throw e;
        }
    }

    @Override
    public void refused(GenerationRequest request, RuntimeException error) {
        begin();
        new Audited(request, GenerationSink.NONE).refused(error);
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

    private void begin() {
        synchronized (monitor) {
            underWay++;
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

    /** One request on its way. */
    private final class Audited extends DeferredSink {

        private final Instant time = clock.instant();
        private final RequestTrail trail = new RequestTrail();
        private final SerialExecutor tasks = new SerialExecutor();
        private final AtomicBoolean ended = new AtomicBoolean();
        private final GenerationRequest request;
        private final String principal;
        private final String tenant;

        Audited(GenerationRequest request, GenerationSink sink) {
            super(sink);
            this.request = request;
            this.principal = principals.principal();
            this.tenant = tenants.tenant();
        }

        @Override
        public void onComplete(Completion completion) {
            tasks.execute(() -> {
                RuntimeException failure = keep(() -> answered(completion));
                if (failure != null && failClosed) {
                    fail(failure);
                } else {
                    complete(completion);
                }
            });
        }

        @Override
        public void onError(RuntimeException error) {
            tasks.execute(() -> {
                RuntimeException failure = keep(() -> record(Outcome.FAILED, null, error));
                if (failure != null) {
                    error.addSuppressed(failure);
                }
                fail(error);
            });
        }

        void refused(Throwable error) {
            RuntimeException failure = keep(() -> record(Outcome.REFUSED, null, error));
            if (failure != null) {
                error.addSuppressed(failure);
            }
        }

        /** Gives a record to every sink, and says which failure there was. */
        private @Nullable RuntimeException keep(Supplier<AuditRecord> made) {
            if (!ended.compareAndSet(false, true)) {
                return null;
            }
            RuntimeException failure = null;
            try {
                AuditRecord record = made.get();
                for (InferenceAuditSink each : sinks) {
                    try {
                        each.keep(record);
                    } catch (RuntimeException e) {
                        failure = failure == null ? e : failure;
                    }
                }
            } catch (RuntimeException e) {
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
            return failure instanceof AuditException
                    ? failure
                    : new AuditException("The audit record of a request was not kept (" + reason + ").");
        }

        private AuditRecord answered(Completion completion) {
            return record(
                    completion.finishReason() == FinishReason.CANCELLED ? Outcome.CANCELLED : Outcome.COMPLETED,
                    completion,
                    null);
        }

        private AuditRecord record(Outcome outcome, @Nullable Completion completion, @Nullable Throwable error) {
            return new AuditRecord(
                    time,
                    completion != null ? completion.id() : generation().idOrNull(),
                    principal,
                    tenant,
                    model.get(),
                    options(request),
                    outcome,
                    completion == null ? null : completion.finishReason().name(),
                    error == null ? null : error.getClass().getSimpleName(),
                    completion == null ? null : tokens(completion.usage()),
                    trail.verdicts(),
                    completion == null ? List.of() : toolNames(completion),
                    completion == null ? null : spent(completion.timings()),
                    contents.of(request),
                    completion == null ? null : contents.of(completion));
        }

        /** A name that was not offered is the model's own word, so it is text of the answer. */
        private List<String> toolNames(Completion completion) {
            Set<String> offered = new HashSet<>();
            if (request instanceof ChatRequest chat) {
                chat.tools().stream().map(ToolSpec::name).forEach(offered::add);
            }
            return completion.toolCalls().stream()
                    .map(ToolCall::name)
                    .map(name -> offered.contains(name) ? name : "(not offered)")
                    .toList();
        }
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
