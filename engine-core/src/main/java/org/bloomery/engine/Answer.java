package org.bloomery.engine;

import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.bloomery.engine.chat.AnswerParser;
import org.bloomery.engine.chat.ToolCall;
import org.bloomery.engine.sampling.Sampler;
import org.bloomery.engine.scheduler.Scheduler;
import org.bloomery.engine.scheduler.Sequence;
import org.bloomery.engine.scheduler.SequenceListener;
import org.bloomery.engine.tokenizer.StreamingDecoder;
import org.bloomery.engine.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way back: tokens → characters → text before any stop string → answer, reasoning and tool calls →
 * the caller's sink. The worker writes it; {@link #await} and {@link #cancel} are for everybody.
 */
final class Answer implements Generation, SequenceListener, AnswerParser.Listener {

    private static final System.Logger LOG = System.getLogger(Answer.class.getName());

    private final String id;
    private final AnsweringModel model;
    private final Tokenizer tokenizer;
    private final StreamingDecoder decoder;
    private final StopStrings stop;
    private final AnswerParser parser;
    private final ReasoningLimit limit;
    private final GenerationSink sink;
    private final EngineListener listener;
    private final EngineListener.Operation operation;
    private final int promptTokens;
    private final long submitted;

    private final StringBuilder text = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final List<ToolCall> toolCalls = new ArrayList<>();
    private final List<TokenLogProbability> logProbabilities = new ArrayList<>();
    private int reasoningTokens;
    private boolean reasoningEnded;
    private int cachedTokens;
    private long started;
    private long firstToken;
    private boolean sinkRefused;

    private final CountDownLatch ended = new CountDownLatch(1);
    private @Nullable Scheduler scheduler;
    private @Nullable Sequence sequence;
    private volatile @Nullable Completion completion;
    private volatile @Nullable RuntimeException error;

    Answer(
            String id,
            AnsweringModel model,
            Tokenizer tokenizer,
            StopStrings stop,
            AnswerParser parser,
            ReasoningLimit limit,
            GenerationSink sink,
            EngineListener listener,
            EngineListener.Operation operation,
            int promptTokens,
            long submitted) {
        this.id = id;
        this.model = model;
        this.tokenizer = tokenizer;
        this.decoder = tokenizer.decoder();
        this.stop = stop;
        this.parser = parser;
        this.limit = limit;
        this.sink = sink;
        this.listener = listener;
        this.operation = operation;
        this.promptTokens = promptTokens;
        this.submitted = submitted;
    }

    /** Submits the sequence whose listener this is. Called once, before anybody else has this answer. */
    void startWith(Scheduler owner, Sequence itsSequence) {
        scheduler = owner;
        sequence = itsSequence;
        limitReasoning(0);
        listener.queued(id, operation, promptTokens);
        owner.submit(itsSequence);
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public AnsweringModel model() {
        return model;
    }

    /** Whether it is complete or has failed. */
    boolean hasEnded() {
        return ended.getCount() == 0;
    }

    @Override
    public void cancel() {
        Scheduler owner = scheduler;
        Sequence own = sequence;
        if (owner != null && own != null) {
            owner.cancel(own);
        }
    }

    @Override
    public Completion await() {
        boolean interrupted = false;
        while (true) {
            try {
                ended.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
                cancel();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        RuntimeException failure = error;
        Completion result = completion;
        if (failure != null) {
            throw failure;
        }
        if (result == null) {
            throw new EngineException("Request " + id + " ended without an answer.");
        }
        return result;
    }

    @Override
    public void started(int tokens) {
        boolean again = started != 0;
        started = System.nanoTime();
        cachedTokens = tokens;
        if (!again) {
            Duration queued = Duration.ofNanos(started - submitted);
            listener.started(new EngineListener.Started(id, queued, promptTokens, tokens));
            sink.onStarted();
        }
    }

    @Override
    public boolean token(int token, List<Sampler.Scored> scores) {
        if (firstToken == 0) {
            firstToken = System.nanoTime();
            listener.firstToken(id);
            sink.onFirstToken();
        }
        if (!scores.isEmpty()) {
            logProbabilities.add(scored(
                    scores.getFirst(),
                    scores.subList(1, scores.size()).stream()
                            .map(alternative -> scored(alternative, List.of()))
                            .toList()));
        }
        parser.accept(stop.accept(characters(token)), this);
        limitReasoning(1);
        if (sinkRefused) {
            cancel();
        }
        return !stop.found();
    }

    /** Counts tokens of reasoning, and ends it where there are too many. */
    private void limitReasoning(int tokens) {
        Sequence own = sequence;
        if (own != null && !reasoningEnded && parser.inReasoning()) {
            reasoningTokens += tokens;
            if (reasoningTokens >= limit.tokens()) {
                reasoningEnded = true;
                own.force(limit.end());
            }
        }
    }

    /** What a token adds to the answer. Control tokens add nothing, except those that mark reasoning or tool calls. */
    private String characters(int token) {
        if (tokenizer.isControl(token)) {
            String spelling = tokenizer.spelling(token);
            if (parser.expects(spelling)) {
                return decoder.finish() + spelling;
            }
        }
        return decoder.accept(token);
    }

    private TokenLogProbability scored(Sampler.Scored scored, List<TokenLogProbability> top) {
        String spelled = new String(tokenizer.bytes(scored.token()), StandardCharsets.UTF_8);
        return new TokenLogProbability(scored.token(), spelled, scored.logProbability(), top);
    }

    @Override
    public void text(String delta) {
        text.append(delta);
        if (!sinkRefused) {
            sinkRefused = !sink.onText(delta);
        }
    }

    @Override
    public void reasoning(String delta) {
        reasoning.append(delta);
        if (!sinkRefused) {
            sinkRefused = !sink.onReasoning(delta);
        }
    }

    @Override
    public void toolCall(ToolCall call) {
        toolCalls.add(call);
    }

    @Override
    public void malformedCall(String raw) {
        LOG.log(
                Level.WARNING,
                "The answer to request {0} has a tool call of {1} characters that cannot be read; it is left out.",
                id,
                Integer.toString(raw.length()));
    }

    @Override
    public void finished(FinishReason reason) {
        try {
            parser.accept(stop.accept(decoder.finish()) + stop.finish(), this);
            parser.finish(this);
        } catch (RuntimeException e) {
            failed(e);
            return;
        }
        Completion result = new Completion(
                id,
                text.toString(),
                reasoning.isEmpty() ? null : reasoning.toString(),
                toolCalls,
                ending(reason),
                usage(),
                timings(),
                logProbabilities);
        completion = result;
        tellEnd(result.finishReason(), null, result.timings());
        try {
            sink.onComplete(result);
        } finally {
            ended.countDown();
        }
    }

    private FinishReason ending(FinishReason reason) {
        if (sinkRefused) {
            return FinishReason.CANCELLED;
        }
        if (reason != FinishReason.STOP) {
            return reason;
        }
        return toolCalls.isEmpty() ? FinishReason.STOP : FinishReason.TOOL_CALLS;
    }

    private Usage usage() {
        return new Usage(promptTokens, sequence == null ? 0 : sequence.generated(), cachedTokens);
    }

    private void tellEnd(
            @Nullable FinishReason reason, @Nullable Class<? extends RuntimeException> failure, Timings timings) {
        Duration grammar = sequence == null ? Duration.ZERO : Duration.ofNanos(sequence.grammarNanos());
        listener.ended(new EngineListener.Ended(id, operation, reason, failure, usage(), timings, grammar));
    }

    private Timings timings() {
        long now = System.nanoTime();
        long began = started == 0 ? now : started;
        long first = firstToken == 0 ? now : firstToken;
        return new Timings(
                Duration.ofNanos(began - submitted),
                Duration.ofNanos(first - submitted),
                Duration.ofNanos(now - submitted));
    }

    @Override
    public void failed(RuntimeException failure) {
        error = failure;
        tellEnd(null, failure.getClass(), timings());
        try {
            sink.onError(failure);
        } finally {
            ended.countDown();
        }
    }
}
