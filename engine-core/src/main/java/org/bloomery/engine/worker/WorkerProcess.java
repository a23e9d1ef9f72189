package org.bloomery.engine.worker;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.SocketChannel;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bloomery.engine.BackendLostException;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.backend.Logits;
import org.bloomery.engine.worker.Wire.Kind;
import org.bloomery.engine.worker.Wire.Payload;
import org.jspecify.annotations.Nullable;

/**
 * One child JVM and the connection to it. Calls are made one at a time; {@link #interrupt}, {@link #leaveOff} and
 * {@link #kill} by any thread. Once it is lost every call throws {@link BackendLostException}.
 */
final class WorkerProcess {

    private static final System.Logger LOG = System.getLogger(WorkerProcess.class.getName());

    /** A worker that has not said for this long that it lives, is killed. */
    private static final int SILENT_SECONDS = 10;

    private static final long EXIT_MILLIS = 500;
    private static final long CLOSE_SECONDS = 5;

    /** A line that the child's logger wrote: level and text. */
    private static final Pattern LOG_LINE = Pattern.compile("(SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST) (.*)");

    private static final String INCUBATOR_NOTE = "WARNING: Using incubator modules";

    /** What comes back from the worker. */
    private sealed interface Reply {
        record Progress(double fraction) implements Reply {}

        record Opened(BackendInfo info) implements Reply {}

        record Done(int rows) implements Reply {}

        record Failed(RuntimeException error) implements Reply {}

        record Lost() implements Reply {}
    }

    private final Process process;
    private final Wire wire;
    private final Consumer<BackendLostException> lossListener;
    private final BlockingQueue<Reply> replies = new LinkedBlockingQueue<>();

    private volatile @Nullable BackendInfo info;
    private volatile boolean busy;
    private volatile boolean closing;
    private volatile @Nullable IOException broken;
    private volatile boolean heard;
    private final Object telling = new Object();
    /** Whether somebody knows of the loss; guarded by {@link #telling}. */
    private boolean told;

    /** Rows of the last batch; written by the reader, read after its {@link Reply.Done}. */
    private volatile MemorySegment rows = MemorySegment.NULL;

    private WorkerProcess(Process process, SocketChannel channel, Consumer<BackendLostException> lossListener) {
        this.process = process;
        this.wire = new Wire(channel);
        this.lossListener = lossListener;
    }

    /**
     * Starts a child JVM with this process's class path and waits until it has connected.
     *
     * @param lossListener told when a process that had loaded its model is lost, before a call throws the same
     * @throws EngineException if none can be started
     */
    static WorkerProcess start(Consumer<BackendLostException> lossListener) {
        WorkerLaunch.Connected connected = WorkerLaunch.start(WorkerProcess::log);
        WorkerProcess worker = new WorkerProcess(connected.process(), connected.channel(), lossListener);
        Thread.ofPlatform().name("bloomery-worker-replies").daemon().start(worker::read);
        return worker;
    }

    /** Passes the child's output on to this process's log. */
    private static void log(BufferedReader output) {
        try (output) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                Matcher record = LOG_LINE.matcher(line);
                if (record.matches()) {
                    LOG.log(level(record.group(1)), "Worker: {0}", record.group(2));
                } else if (!line.startsWith(INCUBATOR_NOTE) && !line.isBlank()) {
                    LOG.log(Level.INFO, "Worker: {0}", line);
                }
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "The worker's output ended.", e);
        }
    }

    private static Level level(String julName) {
        return switch (julName) {
            case "SEVERE" -> Level.ERROR;
            case "WARNING" -> Level.WARNING;
            case "INFO" -> Level.INFO;
            default -> Level.DEBUG;
        };
    }

    /** Loads the model. Where that fails the process has ended afterwards. */
    void open(Messages.Order order, LoadProgress progress) {
        boolean opened = false;
        try {
            send(Kind.OPEN, order::write);
            while (!opened) {
                switch (await()) {
                    case Reply.Progress part -> progress.loaded(part.fraction());
                    case Reply.Opened loaded -> {
                        info = loaded.info();
                        opened = true;
                    }
                    case Reply.Failed failed -> throw failed.error();
                    default -> throw lostInCall();
                }
            }
        } finally {
            if (!opened) {
                kill();
            }
        }
    }

    /** What was loaded; the devices name the process. */
    BackendInfo info() {
        BackendInfo loaded = info;
        if (loaded == null) {
            throw new IllegalStateException("The worker has not opened its model.");
        }
        return new BackendInfo(
                loaded.backend(),
                loaded.kernels(),
                loaded.kernelsReason(),
                loaded.threads(),
                loaded.threadsReason(),
                loaded.devices() + "; in worker process " + process.pid(),
                loaded.vocabSize(),
                loaded.contextLength(),
                loaded.maxSequences(),
                loaded.maxBatchTokens(),
                loaded.memory());
    }

    Logits forward(Batch batch) {
        int count = done(Kind.FORWARD, out -> Messages.writeBatch(out, batch));
        int vocabSize = info().vocabSize();
        MemorySegment received = rows;
        return new Logits() {
            @Override
            public int rows() {
                return count;
            }

            @Override
            public int vocabSize() {
                return vocabSize;
            }

            @Override
            public MemorySegment row(int row) {
                return received.asSlice(row * rowBytes(vocabSize), rowBytes(vocabSize));
            }
        };
    }

    /** Returns the number of rows, which is 0. */
    int truncate(int sequence, int from) {
        return done(Kind.TRUNCATE, out -> {
            out.writeInt(sequence);
            out.writeInt(from);
        });
    }

    /** Returns the number of rows, which is 0. */
    int copyPrefix(int source, int target, int length) {
        return done(Kind.COPY, out -> {
            out.writeInt(source);
            out.writeInt(target);
            out.writeInt(length);
        });
    }

    private int done(Kind kind, Payload payload) {
        busy = true;
        try {
            if (closing) {
                throw new CancellationException("The backend is being closed.");
            }
            send(kind, payload);
            return switch (await()) {
                case Reply.Done done -> done.rows();
                case Reply.Failed failed -> throw failed.error();
                default -> throw lostInCall();
            };
        } finally {
            busy = false;
        }
    }

    void interrupt() {
        if (busy) {
            try {
                wire.send(Kind.INTERRUPT, Payload.NONE);
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "A lost worker was interrupted.", e);
            }
        }
    }

    /** Ends whatever it does: a batch is interrupted, loading killed. */
    void leaveOff() {
        closing = true;
        if (info == null) {
            kill();
        } else {
            interrupt();
        }
    }

    void kill() {
        process.destroyForcibly();
    }

    /** Ends the process: asked first, then made to. */
    void close() {
        try {
            wire.send(Kind.CLOSE, Payload.NONE);
            if (!process.waitFor(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                LOG.log(
                        Level.WARNING,
                        "Worker process {0} did not end within {1} s and is killed.",
                        process.pid(),
                        CLOSE_SECONDS);
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "A lost worker was closed.", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        kill();
        try {
            wire.close();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "The connection to the worker was not closed.", e);
        }
    }

    private void send(Kind kind, Payload payload) {
        try {
            wire.send(kind, payload);
        } catch (IOException e) {
            broken = e;
            throw lostInCall();
        }
    }

    /** The next reply; a worker that falls silent is killed. */
    private Reply await() {
        boolean interrupted = false;
        try {
            int silent = 0;
            while (true) {
                try {
                    Reply reply = replies.poll(1, TimeUnit.SECONDS);
                    if (reply != null) {
                        return reply;
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                }
                // Counted in rounds, not by the clock: this process may have been stopped as well
                silent = heard ? 0 : silent + 1;
                heard = false;
                if (silent == SILENT_SECONDS) {
                    kill();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void read() {
        try {
            int count = 0;
            while (true) {
                Kind kind = wire.next();
                heard = true;
                if (kind == Kind.ROW) {
                    readRow(count++);
                    continue;
                }
                var payload = wire.payload();
                switch (kind) {
                    case BEAT -> {}
                    case PROGRESS -> replies.add(new Reply.Progress(payload.readDouble()));
                    case OPENED -> replies.add(new Reply.Opened(Messages.readInfo(payload)));
                    case DONE -> replies.add(new Reply.Done(count));
                    case FAILED -> replies.add(new Reply.Failed(Messages.readFailure(payload)));
                    default -> throw new IOException("A frame of kind " + kind + " came from the worker.");
                }
                if (kind != Kind.BEAT) {
                    count = 0;
                }
            }
        } catch (IOException | UncheckedIOException e) {
            if (!(e instanceof EOFException) && !closing) {
                LOG.log(Level.WARNING, "The connection to worker process " + process.pid() + " broke.", e);
            }
            kill();
            if (info != null && !closing) {
                tellLoss();
            }
            replies.add(new Reply.Lost());
        }
    }

    private void readRow(int row) throws IOException {
        BackendInfo loaded = info;
        if (loaded == null || wire.payloadBytes() != rowBytes(loaded.vocabSize())) {
            throw new IOException(
                    "The worker sent a row of " + wire.payloadBytes() + " bytes, which no batch asked for.");
        }
        long rowBytes = rowBytes(loaded.vocabSize());
        MemorySegment target = rows;
        if (target.byteSize() < (row + 1) * rowBytes) {
            MemorySegment larger = Arena.ofAuto().allocate(Math.max(2 * target.byteSize(), (row + 1) * rowBytes), 64);
            target = larger.copyFrom(target);
            rows = target;
        }
        wire.payload(target.asSlice(row * rowBytes, rowBytes).asByteBuffer());
    }

    private static long rowBytes(int vocabSize) {
        return vocabSize * ValueLayout.JAVA_FLOAT.byteSize();
    }

    /** Tells the loss unless a call has told it: who has begun to replace this process must not hear of it again. */
    private void tellLoss() {
        BackendLostException loss = lost();
        synchronized (telling) {
            if (!told) {
                told = true;
                lossListener.accept(loss);
            }
        }
    }

    private BackendLostException lostInCall() {
        synchronized (telling) {
            told = true;
        }
        return lost();
    }

    private BackendLostException lost() {
        String how = "was lost";
        try {
            if (process.waitFor(EXIT_MILLIS, TimeUnit.MILLISECONDS)) {
                how = "ended with exit code " + process.exitValue();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return new BackendLostException(
                "Worker process " + process.pid() + " " + how
                        + (info == null
                                ? " while it loaded the model; the log has what it printed."
                                : "; send the request again, another worker takes its place."),
                broken);
    }

    @Override
    public String toString() {
        return "process " + process.pid();
    }
}
