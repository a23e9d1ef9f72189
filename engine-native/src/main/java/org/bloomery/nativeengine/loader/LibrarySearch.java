package org.bloomery.nativeengine.loader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bloomery.engine.EngineException;
import org.jspecify.annotations.Nullable;

/** Where llama.cpp's libraries were found, or why nowhere. */
public sealed interface LibrarySearch {

    /** One sentence: where and why there, and what was passed over. */
    String reason();

    /**
     * The libraries of one build.
     *
     * @param directory holds all of them, {@code ggml}'s backends included; null where the system's loader finds them
     * @param ggml libggml: an absolute path, or a name for the system's loader
     * @param llama libllama, in the same manner
     * @param flavour cpu, vulkan, cuda, metal, or custom for a folder's and system for the system's own
     */
    record Found(@Nullable Path directory, String ggml, String llama, String flavour, String reason)
            implements LibrarySearch {}

    record Missing(String reason) implements LibrarySearch {}

    /**
     * Searches in this order: a configured folder and nowhere else, natives artifacts, the system.
     *
     * @param configured a folder, or null
     * @param loader where natives artifacts may be on the class path
     */
    static LibrarySearch search(@Nullable Path configured, ClassLoader loader) {
        if (configured != null) {
            return inFolder(configured, "custom", "configured folder " + configured);
        }
        List<String> passedOver = new ArrayList<>();
        try {
            for (NativesArtifact artifact : NativesArtifact.onClassPath(loader, passedOver)) {
                Path folder = new NativesCache(NativesCache.home()).extract(artifact, loader);
                LibrarySearch found = inFolder(folder, artifact.flavour(), artifact + " on the class path");
                return found instanceof Found libraries
                        ? new Found(
                                libraries.directory,
                                libraries.ggml,
                                libraries.llama,
                                libraries.flavour,
                                sentence(libraries.reason, passedOver))
                        : found;
            }
        } catch (EngineException e) {
            return new Missing(String.valueOf(e.getMessage()));
        }
        return system(passedOver);
    }

    private static String sentence(String reason, List<String> passedOver) {
        return passedOver.isEmpty() ? reason : reason + "; passed over: " + String.join("; ", passedOver);
    }

    private static LibrarySearch inFolder(Path folder, String flavour, String where) {
        Path absolute = folder.toAbsolutePath();
        Path ggml = null;
        Path llama = null;
        try (Stream<Path> files = Files.list(absolute)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (Platform.isLibrary(name, "ggml")) {
                    ggml = file;
                } else if (Platform.isLibrary(name, "llama")) {
                    llama = file;
                }
            }
        } catch (IOException e) {
            return new Missing("The " + where + " cannot be read (" + e
                    + "); set library-path to a folder with llama.cpp's libraries, or leave it out.");
        }
        if (ggml == null || llama == null) {
            return new Missing("The " + where + " has no " + (llama == null ? "libllama" : "libggml")
                    + "; set library-path to a folder with all of llama.cpp's libraries, or leave it out.");
        }
        return new Found(absolute, ggml.toString(), llama.toString(), flavour, where);
    }

    private static LibrarySearch system(List<String> passedOver) {
        Platform platform = Platform.current();
        if (platform.systemHas(platform.systemName("llama"))) {
            return new Found(
                    null,
                    platform.systemName("ggml"),
                    platform.systemName("llama"),
                    "system",
                    sentence("the system's own " + platform.systemName("llama"), passedOver));
        }
        return new Missing(sentence(
                "No llama.cpp library: no natives artifact is on the class path and the system has no "
                        + platform.systemName("llama") + "; add bloomery-natives-" + platform.name()
                        + " or set library-path",
                passedOver));
    }
}
