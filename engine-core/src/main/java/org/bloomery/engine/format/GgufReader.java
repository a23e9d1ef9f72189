package org.bloomery.engine.format;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.bloomery.engine.ModelNotFoundException;

/** Opens GGUF model files; see the package for the format and its limits. */
public final class GgufReader {

    private static final int COPY_CHUNK = 8 << 20;

    /** Kernels read whole cache lines; a mapped section begins as aligned as its file has it. */
    private static final int COPY_ALIGNMENT = 64;

    private GgufReader() {}

    /**
     * Opens a model: checks the header whole, then maps or copies the tensors.
     *
     * @throws ModelNotFoundException if there is no such file, or it cannot be read
     * @throws ModelFormatException if the file is no GGUF file, or breaks a rule of the format or a limit of the reader
     */
    @SuppressWarnings("MustBeClosedChecker") // the arena is closed by the model file, or here where there is none
    public static ModelFile open(Path file, LoadMode mode) {
        if (!Files.isRegularFile(file)) {
            if (Files.exists(file)) {
                throw new ModelFormatException("Model file " + file + " is no regular file; expected a GGUF file.");
            }
            throw new ModelNotFoundException("Model file " + file + " is not there; check the path.");
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            String name = String.valueOf(file.getFileName());
            long fileBytes = channel.size();
            HeaderInput input = new HeaderInput(channel, name, fileBytes);
            GgufHeader header = GgufHeader.read(input, name, fileBytes, 0);
            long dataBytes = fileBytes - header.dataStart();
            MemorySegment data = mode != LoadMode.MAP
                    ? copy(channel, input, header.dataStart(), dataBytes, arena)
                    : channel.map(FileChannel.MapMode.READ_ONLY, header.dataStart(), dataBytes, arena);
            GgufFile.Section section = new GgufFile.Section(header.dataStart(), data.asReadOnly());
            return new GgufFile(file, header.metadata(), header.tensors(), List.of(section), fileBytes, arena);
        } catch (NoSuchFileException e) {
            arena.close();
            throw new ModelNotFoundException("Model file " + file + " is not there; check the path.", e);
        } catch (IOException e) {
            arena.close();
            throw new ModelNotFoundException("Model file " + file + " cannot be read; check its permissions.", e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    private static MemorySegment copy(FileChannel channel, HeaderInput input, long start, long bytes, Arena arena)
            throws IOException {
        MemorySegment data = arena.allocate(bytes, COPY_ALIGNMENT);
        long done = 0;
        while (done < bytes) {
            ByteBuffer chunk =
                    data.asSlice(done, Math.min(COPY_CHUNK, bytes - done)).asByteBuffer();
            int read = channel.read(chunk, start + done);
            if (read < 0) {
                throw input.refuse("the file became shorter while it was read: it ends at byte " + (start + done));
            }
            done += read;
        }
        if (channel.size() != start + bytes) {
            throw input.refuse("the file changed while it was read: it had " + (start + bytes) + " bytes and has "
                    + channel.size());
        }
        return data;
    }
}
