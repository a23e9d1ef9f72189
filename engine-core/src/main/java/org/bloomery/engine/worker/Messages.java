package org.bloomery.engine.worker;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.InsufficientMemoryException;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.backend.BackendInfo;
import org.bloomery.engine.backend.BackendOptions;
import org.bloomery.engine.backend.Batch;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.FlashAttention;
import org.bloomery.engine.backend.DeviceOptions.SplitMode;
import org.bloomery.engine.backend.MemoryPlan;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFormatException;
import org.jspecify.annotations.Nullable;

/** The payloads of frames, written and read field by field in the same order. */
final class Messages {

    private Messages() {}

    /**
     * What a worker is to run.
     *
     * @param provider name of the backend's provider
     */
    record Order(String provider, Path model, LoadMode loadMode, BackendOptions options) {

        void write(DataOutputStream out) throws IOException {
            writeText(out, provider);
            writeText(out, model.toString());
            writeText(out, loadMode.name());
            out.writeInt(options.contextLength());
            out.writeInt(options.maxSequences());
            out.writeInt(options.maxBatchTokens());
            out.writeInt(options.threads());
            writeText(out, options.kernels());
            writeText(out, options.cacheType());
            out.writeBoolean(options.repack());
            DeviceOptions devices = options.devices();
            Path library = devices.libraryPath();
            writeText(out, library == null ? "" : library.toString());
            out.writeInt(devices.gpuLayers());
            writeTexts(out, devices.devices());
            writeText(out, devices.splitMode().name());
            writeTexts(out, devices.tensorSplit().stream().map(String::valueOf).toList());
            writeTexts(out, devices.rpcServers());
            writeText(out, devices.flashAttention().name());
        }

        static Order read(DataInputStream in) throws IOException {
            return new Order(
                    readText(in),
                    Path.of(readText(in)),
                    LoadMode.valueOf(readText(in)),
                    new BackendOptions(
                            in.readInt(),
                            in.readInt(),
                            in.readInt(),
                            in.readInt(),
                            readText(in),
                            readText(in),
                            in.readBoolean(),
                            new DeviceOptions(
                                    readPath(in),
                                    in.readInt(),
                                    readTexts(in),
                                    SplitMode.valueOf(readText(in)),
                                    readTexts(in).stream().map(Double::valueOf).toList(),
                                    readTexts(in),
                                    FlashAttention.valueOf(readText(in)))));
        }
    }

    static void writeInfo(DataOutputStream out, BackendInfo info) throws IOException {
        writeText(out, info.backend());
        writeText(out, info.kernels());
        writeText(out, info.kernelsReason());
        out.writeInt(info.threads());
        writeText(out, info.threadsReason());
        writeText(out, info.devices());
        out.writeInt(info.vocabSize());
        out.writeInt(info.contextLength());
        out.writeInt(info.maxSequences());
        out.writeInt(info.maxBatchTokens());
        out.writeLong(info.memory().weights());
        out.writeLong(info.memory().repacked());
        out.writeLong(info.memory().cache());
        out.writeLong(info.memory().workspace());
    }

    static BackendInfo readInfo(DataInputStream in) throws IOException {
        return new BackendInfo(
                readText(in),
                readText(in),
                readText(in),
                in.readInt(),
                readText(in),
                readText(in),
                in.readInt(),
                in.readInt(),
                in.readInt(),
                in.readInt(),
                new MemoryPlan(in.readLong(), in.readLong(), in.readLong(), in.readLong()));
    }

    static void writeBatch(DataOutputStream out, Batch batch) throws IOException {
        out.writeInt(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            out.writeInt(batch.token(i));
            out.writeInt(batch.position(i));
            out.writeInt(batch.sequence(i));
            out.writeBoolean(batch.wantsLogits(i));
        }
    }

    /** Takes the place of what {@code batch} holds. */
    static void readBatch(DataInputStream in, Batch batch) throws IOException {
        batch.clear();
        int size = in.readInt();
        for (int i = 0; i < size; i++) {
            batch.add(in.readInt(), in.readInt(), in.readInt(), in.readBoolean());
        }
    }

    /** An exception that means the same on both sides. */
    private record Failure(Class<? extends RuntimeException> type, Function<String, RuntimeException> restored) {}

    /** The first whose type fits speaks for an exception. */
    private static final List<Failure> FAILURES = List.of(
            new Failure(UnsupportedModelException.class, UnsupportedModelException::new),
            new Failure(ModelFormatException.class, ModelFormatException::new),
            new Failure(InsufficientMemoryException.class, InsufficientMemoryException::new),
            new Failure(InvalidOptionException.class, InvalidOptionException::new),
            new Failure(EngineException.class, EngineException::new),
            new Failure(CancellationException.class, CancellationException::new),
            new Failure(IllegalArgumentException.class, IllegalArgumentException::new),
            new Failure(IllegalStateException.class, IllegalStateException::new),
            new Failure(RuntimeException.class, message -> new EngineException("The worker failed: " + message)));

    static void writeFailure(DataOutputStream out, RuntimeException e) throws IOException {
        int failure = 0;
        while (!FAILURES.get(failure).type().isInstance(e)) {
            failure++;
        }
        boolean unexpected = failure == FAILURES.size() - 1;
        out.writeInt(failure);
        writeText(out, unexpected ? e.toString() : String.valueOf(e.getMessage()));
    }

    static RuntimeException readFailure(DataInputStream in) throws IOException {
        Failure failure = FAILURES.get(Objects.checkIndex(in.readInt(), FAILURES.size()));
        return failure.restored().apply(readText(in));
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static String readText(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > in.available()) {
            throw new IOException("A text has length " + length + ", but " + in.available() + " bytes are left.");
        }
        return new String(in.readNBytes(length), StandardCharsets.UTF_8);
    }

    private static @Nullable Path readPath(DataInputStream in) throws IOException {
        String path = readText(in);
        return path.isEmpty() ? null : Path.of(path);
    }

    private static void writeTexts(DataOutputStream out, List<String> texts) throws IOException {
        out.writeInt(texts.size());
        for (String text : texts) {
            writeText(out, text);
        }
    }

    private static List<String> readTexts(DataInputStream in) throws IOException {
        int size = in.readInt();
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            texts.add(readText(in));
        }
        return texts;
    }
}
