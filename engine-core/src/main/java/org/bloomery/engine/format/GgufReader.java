package org.bloomery.engine.format;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.InsufficientMemoryException;
import org.bloomery.engine.ModelNotFoundException;
import org.jspecify.annotations.Nullable;

/** Opens GGUF model files; see the package for the format and its limits. */
public final class GgufReader {

    static final String SPLIT_NO_KEY = "split.no";
    static final String SPLIT_COUNT_KEY = "split.count";
    static final String SPLIT_TENSORS_KEY = "split.tensors.count";
    static final int MOST_PARTS = 1000;

    private static final int COPY_CHUNK = 8 << 20;

    /** A cache line, so that a copy is at least as aligned as a mapping. */
    private static final int COPY_ALIGNMENT = 64;

    private GgufReader() {}

    /**
     * Opens a model: checks the headers of all its files. Tensors are mapped or copied when the first is asked for.
     *
     * @param file the GGUF file, or the first of a split model
     * @throws ModelNotFoundException if the file or a part of a split model is not there or cannot be read
     * @throws ModelFormatException if the file is no GGUF file, or breaks a rule of the format or a limit of the reader
     */
    public static ModelFile open(Path file, LoadMode mode) {
        List<Part> parts = new ArrayList<>();
        boolean opened = false;
        try {
            parts.add(Part.open(file, 0));
            openOtherParts(parts);
            ModelFile model = model(parts, mode);
            opened = true;
            return model;
        } finally {
            if (!opened) {
                parts.forEach(Part::close);
            }
        }
    }

    /** One file of a model, open while the model is being loaded. */
    private record Part(Path file, FileChannel channel, long fileBytes, HeaderInput input, GgufHeader header) {

        static Part open(Path file, int index) {
            if (!Files.isRegularFile(file)) {
                // A pipe would block for ever, a device has no length
                if (Files.exists(file)) {
                    throw new ModelFormatException("Model file " + file + " is no regular file; expected a GGUF file.");
                }
                throw missing(file, null);
            }
            FileChannel channel = null;
            try {
                channel = FileChannel.open(file, StandardOpenOption.READ);
                String name = name(file);
                long fileBytes = channel.size();
                HeaderInput input = new HeaderInput(channel, name, fileBytes);
                Part part = new Part(file, channel, fileBytes, input, GgufHeader.read(input, name, fileBytes, index));
                channel = null;
                return part;
            } catch (NoSuchFileException e) {
                throw missing(file, e);
            } catch (IOException e) {
                throw unreadable(file, e);
            } finally {
                close(channel);
            }
        }

        long dataBytes() {
            return fileBytes - header.dataStart();
        }

        void close() {
            close(channel);
        }

        private static void close(@Nullable FileChannel channel) {
            try {
                if (channel != null) {
                    channel.close();
                }
            } catch (IOException e) {
                // It was only read from: there is nothing to lose
            }
        }
    }

    /**
     * Opens the rest of a split model and adds its tensors to those of the first part. Mirrors the checks of {@code
     * llama_model_loader}.
     */
    private static void openOtherParts(List<Part> parts) {
        Part first = parts.getFirst();
        Metadata metadata = first.header.metadata();
        int count = metadata.int32(SPLIT_COUNT_KEY, 1);
        if (count < 0 || count > MOST_PARTS) {
            throw first.input.refuse(
                    "key '" + SPLIT_COUNT_KEY + "' is " + count + "; a model of 1 to " + MOST_PARTS + " parts is read");
        }
        if (count <= 1) {
            return;
        }
        int no = metadata.int32(SPLIT_NO_KEY);
        SplitName name = SplitName.of(name(first.file));
        if (no != 0) {
            String hint = name == null || name.count() != count ? "part 1" : "'" + name.part(0) + "'";
            throw first.input.refuse(
                    "the file is part " + (no + 1L) + " of " + count + " of a split model; open " + hint + " instead");
        }
        if (name == null || name.part() != 0 || name.count() != count) {
            throw first.input.refuse("the file is the first of " + count
                    + " parts of a split model, so its name must end in '"
                    + new SplitName("", 0, count) + "' for the others to be found");
        }
        Map<String, TensorInfo> tensors = first.header.tensors();
        for (int i = 1; i < count; i++) {
            Path file = name.part(i).beside(first.file);
            if (!Files.exists(file)) {
                throw new ModelNotFoundException("Part " + (i + 1) + " of " + count + " of the split model "
                        + first.file + " is not there; put '" + file.getFileName() + "' beside it.");
            }
            Part part = Part.open(file, i);
            parts.add(part);
            expect(part, SPLIT_NO_KEY, i);
            expect(part, SPLIT_COUNT_KEY, count);
            for (TensorInfo tensor : part.header.tensors().values()) {
                if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
                    throw part.input.refuse("tensor " + Quoted.of(tensor.name())
                            + " is in an earlier part of the split model too; a name may be there once");
                }
            }
            if (tensors.size() > GgufHeader.MOST_TENSORS) {
                throw part.input.refuse("the split model has " + tensors.size() + " tensors up to this part; at most "
                        + GgufHeader.MOST_TENSORS + " are read");
            }
        }
        long expected = metadata.int64(SPLIT_TENSORS_KEY);
        if (tensors.size() != expected) {
            throw first.input.refuse("the " + count + " parts of the split model have " + tensors.size()
                    + " tensors in all and key '" + SPLIT_TENSORS_KEY + "' is " + expected
                    + "; parts of different models are mixed");
        }
    }

    private static void expect(Part part, String key, int expected) {
        int found = part.header.metadata().int32(key);
        if (found != expected) {
            throw part.input.refuse(
                    "key '" + key + "' is " + found + "; expected " + expected + " in this part of the split model");
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // closed with the model file
    private static ModelFile model(List<Part> parts, LoadMode mode) {
        boolean mapped = switch (mode) {
            case MAP -> true;
            case COPY -> false;
            case AUTO -> parts.stream().map(Part::file).allMatch(Safekeeping::isSafeToMap);
        };
        long fileBytes = parts.stream().mapToLong(Part::fileBytes).reduce(0, Math::addExact);
        Arena arena = Arena.ofShared();
        List<GgufFile.Section> sections = new ArrayList<>();
        for (Part part : parts) {
            sections.add(new DataSection(part, mapped, arena));
        }
        Part first = parts.getFirst();
        return new GgufFile(
                first.file, first.header.metadata(), first.header.tensors(), sections, fileBytes, mapped, arena);
    }

    private static final class DataSection implements GgufFile.Section {

        private final Part part;
        private final boolean mapped;
        private final Arena arena;
        private @Nullable MemorySegment bytes;

        DataSection(Part part, boolean mapped, Arena arena) {
            this.part = part;
            this.mapped = mapped;
            this.arena = arena;
        }

        @Override
        public long start() {
            return part.header.dataStart();
        }

        @Override
        public synchronized MemorySegment bytes() {
            if (bytes == null) {
                bytes = load(part, mapped, arena).asReadOnly();
            }
            return bytes;
        }

        @Override
        public void close() {
            part.close();
        }
    }

    private static MemorySegment load(Part part, boolean mapped, Arena arena) {
        try {
            long found = part.channel.size();
            MemorySegment data = found < part.fileBytes
                    ? MemorySegment.NULL
                    : mapped
                            ? part.channel.map(
                                    FileChannel.MapMode.READ_ONLY, part.header.dataStart(), part.dataBytes(), arena)
                            : copy(part, arena);
            long now = part.channel.size();
            if (now != part.fileBytes) {
                throw part.input.refuse(
                        "the file changed after it was opened: it had " + part.fileBytes + " bytes and has " + now);
            }
            return data;
        } catch (IOException e) {
            throw unreadable(part.file, e);
        }
    }

    private static MemorySegment copy(Part part, Arena arena) throws IOException {
        long bytes = part.dataBytes();
        long memory =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
        if (bytes > memory) {
            // Allocating would succeed, and the system would end some process once the copy fills the memory; whether
            // there is room beside everything else is for the backend's memory plan to say
            throw new InsufficientMemoryException("A copy of model file " + name(part.file) + " needs " + bytes
                    + " bytes and this machine or container has " + memory
                    + " in all; choose a smaller model, or load it with mode 'map'.");
        }
        MemorySegment data = arena.allocate(bytes, COPY_ALIGNMENT);
        long done = 0;
        while (done < bytes) {
            ByteBuffer chunk =
                    data.asSlice(done, Math.min(COPY_CHUNK, bytes - done)).asByteBuffer();
            int read = part.channel.read(chunk, part.header.dataStart() + done);
            if (read < 0) {
                throw part.input.refuse("the file became shorter while it was read: it had " + part.fileBytes
                        + " bytes and ends at byte " + (part.header.dataStart() + done));
            }
            done += read;
        }
        return data;
    }

    private static ModelNotFoundException missing(Path file, @Nullable IOException cause) {
        String message = "Model file " + file + " is not there; check the path.";
        return cause == null ? new ModelNotFoundException(message) : new ModelNotFoundException(message, cause);
    }

    private static ModelNotFoundException unreadable(Path file, IOException cause) {
        return new ModelNotFoundException(
                "Model file " + file + " cannot be read (" + cause + "); check its permissions.", cause);
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }
}
