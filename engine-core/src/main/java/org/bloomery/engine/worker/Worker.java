package org.bloomery.engine.worker;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.bloomery.engine.backend.Backend;
import org.bloomery.engine.backend.Backends;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.Logits;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.worker.Wire.Kind;
import org.bloomery.engine.worker.Wire.Payload;

/**
 * The child's main class: runs one backend for the engine that started it, and ends with it. The main thread computes,
 * one thread reads, one tells that the process lives.
 */
public final class Worker {

    private static final System.Logger LOG = System.getLogger(Worker.class.getName());

    /** How often the worker says that it lives. */
    private static final long BEAT_MILLIS = 250;

    /** One thing to do on the main thread. */
    private sealed interface Task {
        record Forward(Batch batch) implements Task {}

        record Truncate(int sequence, int from) implements Task {}

        record Copy(int source, int target, int length) implements Task {}

        record Close() implements Task {}
    }

    private final Wire wire;
    private final BlockingQueue<Task> tasks = new LinkedBlockingQueue<>();
    private MemorySegment rowBuffer = MemorySegment.NULL;

    private Worker(Wire wire) {
        this.wire = wire;
    }

    /** @param arguments the socket to connect to */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(Path.of(arguments[0])));
        try (Wire wire = new Wire(channel)) {
            new Worker(wire).run();
        } catch (Throwable t) {
            LOG.log(System.Logger.Level.ERROR, "The worker ends.", t);
            Runtime.getRuntime().halt(1);
        }
    }

    private void run() throws IOException, InterruptedException {
        if (wire.next() != Kind.OPEN) {
            throw new IOException("The first frame does not open a model.");
        }
        Messages.Order order = Messages.Order.read(wire.payload());
        Thread.ofPlatform().name("bloomery-worker-beat").daemon().start(this::beat);
        try (ModelFile file = GgufReader.open(order.model(), order.loadMode());
                Backend backend = Backends.open(
                                file, order.provider(), order.options(), this::tellProgress, UnaryOperator.identity())
                        .backend()) {
            Thread.ofPlatform().name("bloomery-worker-reader").daemon().start(() -> read(backend));
            wire.send(Kind.OPENED, out -> Messages.writeInfo(out, backend.info()));
            compute(backend);
        } catch (RuntimeException e) {
            wire.send(Kind.FAILED, out -> Messages.writeFailure(out, e));
        }
    }

    private void tellProgress(double fraction) {
        try {
            wire.send(Kind.PROGRESS, out -> out.writeDouble(fraction));
        } catch (IOException e) {
            leave();
        }
    }

    private void compute(Backend backend) throws IOException, InterruptedException {
        while (true) {
            Task task = tasks.take();
            try {
                switch (task) {
                    case Task.Forward forward -> sendRows(backend.forward(forward.batch()));
                    case Task.Truncate cut -> backend.truncate(cut.sequence(), cut.from());
                    case Task.Copy copy -> backend.copyPrefix(copy.source(), copy.target(), copy.length());
                    case Task.Close close -> {
                        return;
                    }
                }
            } catch (RuntimeException e) {
                wire.send(Kind.FAILED, out -> Messages.writeFailure(out, e));
                continue;
            }
            wire.send(Kind.DONE, Payload.NONE);
        }
    }

    private void sendRows(Logits logits) throws IOException {
        for (int row = 0; row < logits.rows(); row++) {
            MemorySegment floats = logits.row(row);
            if (rowBuffer.byteSize() != floats.byteSize()) {
                rowBuffer = Arena.ofAuto().allocate(floats.byteSize());
            }
            // A row may lie in the heap as floats, which cannot be sent as bytes
            wire.send(Kind.ROW, rowBuffer.copyFrom(floats).asByteBuffer());
        }
    }

    private void read(Backend backend) {
        try {
            while (true) {
                Kind kind = wire.next();
                var payload = wire.payload();
                switch (kind) {
                    case FORWARD -> {
                        // One at a time is under way, but the batch of an interrupted one may still be read
                        Batch batch = new Batch(16);
                        Messages.readBatch(payload, batch);
                        tasks.add(new Task.Forward(batch));
                    }
                    case TRUNCATE -> tasks.add(new Task.Truncate(payload.readInt(), payload.readInt()));
                    case COPY -> tasks.add(new Task.Copy(payload.readInt(), payload.readInt(), payload.readInt()));
                    case INTERRUPT -> backend.interrupt();
                    case CLOSE -> {
                        tasks.add(new Task.Close());
                        return;
                    }
                    default -> throw new IOException("A frame of kind " + kind + " came from the engine.");
                }
            }
        } catch (IOException e) {
            leave();
        }
    }

    private void beat() {
        try {
            while (true) {
                wire.send(Kind.BEAT, Payload.NONE);
                TimeUnit.MILLISECONDS.sleep(BEAT_MILLIS);
            }
        } catch (IOException | InterruptedException e) {
            leave();
        }
    }

    /** The engine has gone, so nobody waits for what is being computed; native code may not be waited for. */
    private static void leave() {
        Runtime.getRuntime().halt(0);
    }
}
