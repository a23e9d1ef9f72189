package org.bloomery.spring.security;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Where a model lies, and who may change it there. */
public final class ModelLocation {

    private ModelLocation() {}

    /**
     * The first of these files that others than its owner may write, or whose folder they may, links followed. Without POSIX
     * permissions, one that this process may write.
     *
     * @return what is the matter in one sentence, or empty where nothing is; a file that does not tell is a matter too
     */
    public static Optional<String> complaint(List<Path> parts) {
        for (Path part : parts) {
            try {
                Path real = part.toRealPath();
                Path folder = real.getParent();
                if (isWritableByOthers(real) || folder == null || isWritableByOthers(folder)) {
                    return Optional.of("Model file " + part.getFileName()
                            + " or its folder can be written by others than its owner; take that permission away.");
                }
            } catch (IOException e) {
                return Optional.of("Model file " + part.getFileName()
                        + " does not tell who may write it; check that it is there.");
            }
        }
        return Optional.empty();
    }

    private static boolean isWritableByOthers(Path path) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
        if (view == null) {
            return Files.isWritable(path);
        }
        Set<PosixFilePermission> permissions = view.readAttributes().permissions();
        return permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE);
    }
}
