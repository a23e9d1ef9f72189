package org.bloomery.engine.backend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The folders of Linux's control groups, of both versions, that limit this process. */
final class ControlGroups {

    private ControlGroups() {}

    /**
     * Folders of each group from the process's own up to the root; a container sees its own as the root. Which files they
     * hold depends on the version.
     *
     * @param root where the machine's files lie, {@code /} but for tests
     * @param controller such as {@code memory}
     */
    static List<Path> folders(Path root, String controller) {
        Path mounts = root.resolve("sys/fs/cgroup");
        List<Path> found = new ArrayList<>();
        for (String line : lines(root.resolve("proc/self/cgroup"))) {
            String[] parts = line.split(":", 3);
            if (parts.length == 3 && parts[1].isEmpty()) {
                add(mounts, parts[2], found);
            } else if (parts.length == 3 && List.of(parts[1].split(",")).contains(controller)) {
                add(mounts.resolve(controller), parts[2], found);
                if (!parts[1].equals(controller)) {
                    add(mounts.resolve(parts[1]), parts[2], found);
                }
            }
        }
        return found;
    }

    private static void add(Path mount, String group, List<Path> found) {
        Path folder =
                mount.resolve(group.substring(group.startsWith("/") ? 1 : 0)).normalize();
        if (!folder.startsWith(mount) || !Files.isDirectory(folder)) {
            folder = mount;
        }
        while (folder != null && folder.startsWith(mount)) {
            found.add(folder);
            folder = folder.getParent();
        }
    }

    /** The lines of a file; none where it cannot be read. */
    static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException | SecurityException e) {
            return List.of();
        }
    }
}
