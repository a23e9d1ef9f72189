package org.bloomery.engine.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A model as a local file. Where it had to be copied out of an archive, closing deletes the copy; close the model file
 * first.
 */
public final class ResolvedModel implements AutoCloseable {

    private final Path path;
    /** What to delete, in the order of its making. */
    private final List<Path> temporary;

    private ResolvedModel(Path path, List<Path> temporary) {
        this.path = path;
        this.temporary = List.copyOf(temporary);
    }

    static ResolvedModel inPlace(Path path) {
        return new ResolvedModel(path, List.of());
    }

    static ResolvedModel copied(Path path, List<Path> temporary) {
        return new ResolvedModel(path, temporary);
    }

    /** The file to open, or the first part of a split model. */
    public Path path() {
        return path;
    }

    /** Whether it was copied out of an archive, and the copy is still there. */
    public boolean isCopy() {
        return !temporary.isEmpty() && temporary.stream().allMatch(Files::exists);
    }

    /** Deletes what was copied; does nothing for a file that was there before. */
    @Override
    public void close() {
        delete(temporary);
    }

    static void delete(List<Path> temporary) {
        List<Path> last = new ArrayList<>(temporary).reversed();
        for (Path path : last) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                // Deleted when the JVM exits
                path.toFile().deleteOnExit();
            }
        }
    }
}
