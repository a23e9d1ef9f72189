package org.bloomery.engine.format;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells whether others can change a file: a file that is truncated or overwritten while it is mapped can end the
 * process. See {@link LoadMode#AUTO}.
 */
final class Safekeeping {

    private Safekeeping() {}

    /** Whether neither the file nor its folder, links followed, can be written by anyone but its owner, us or root. */
    static boolean isSafeToMap(Path file) {
        try {
            Path real = file.toRealPath();
            Path folder = real.getParent();
            if (folder == null) {
                return false;
            }
            if (Files.getFileAttributeView(real, PosixFileAttributeView.class) == null) {
                return !Files.isWritable(real) && !Files.isWritable(folder);
            }
            return isOurs(real) && isOurs(folder);
        } catch (IOException e) {
            // Who cannot be asked is not trusted
            return false;
        }
    }

    private static boolean isOurs(Path path) throws IOException {
        PosixFileAttributes attributes = Files.readAttributes(path, PosixFileAttributes.class);
        Set<PosixFilePermission> permissions = attributes.permissions();
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            return false;
        }
        UserPrincipal owner = attributes.owner();
        // By number: a container need not know the name root
        return owner.equals(user(path, "0")) || owner.equals(self(path));
    }

    /** The user of this process. A container's user may have no name, so the process itself is asked where it can be. */
    private static @Nullable UserPrincipal self(Path path) throws IOException {
        Path process = Path.of("/proc/self");
        if (Files.exists(process)) {
            return Files.getOwner(process);
        }
        return user(path, System.getProperty("user.name", ""));
    }

    private static @Nullable UserPrincipal user(Path path, String name) {
        try {
            return path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(name);
        } catch (IOException | UnsupportedOperationException e) {
            return null;
        }
    }
}
