package org.bloomery.nativeengine.loader;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What kind of machine this is, as the natives artifacts name it.
 *
 * @param name such as {@code linux-x86_64}
 */
record Platform(String name) {

    private static final Map<String, String> ARCHITECTURES =
            Map.of("amd64", "x86_64", "x86_64", "x86_64", "aarch64", "aarch64", "arm64", "aarch64");

    /** Libraries of the system without which a flavour's devices cannot be reached on Linux. */
    private static final Map<String, List<String>> NEEDED = Map.of(
            "vulkan", List.of("libvulkan.so.1"),
            "cuda", List.of("libcuda.so.1", "libcudart.so.13", "libcublas.so.13"));

    static Platform current() {
        return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    }

    static Platform of(String osName, String osArchitecture) {
        String os = osName.toLowerCase(Locale.ROOT);
        String family = os.startsWith("windows") ? "windows" : os.startsWith("mac") ? "macos" : "linux";
        String architecture = osArchitecture.toLowerCase(Locale.ROOT);
        return new Platform(family + "-" + ARCHITECTURES.getOrDefault(architecture, architecture));
    }

    /** The name by which the system's loader knows a library. */
    String systemName(String library) {
        if (name.startsWith("windows")) {
            return library + ".dll";
        }
        return name.startsWith("macos") ? "lib" + library + ".0.dylib" : "lib" + library + ".so.0";
    }

    /** What a flavour needs of the system and does not find here; empty where nothing is missing. */
    String missingFor(String flavour) {
        if (!name.startsWith("linux")) {
            return "";
        }
        return NEEDED.getOrDefault(flavour, List.of()).stream()
                .filter(library -> !systemHas(library))
                .findFirst()
                .orElse("");
    }

    /** Whether the system's loader finds a library. */
    boolean systemHas(String library) {
        try (Arena arena = Arena.ofConfined()) {
            return !SymbolLookup.libraryLookup(library, arena).toString().isEmpty();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Whether a file is the library of this name, whatever its flavour and version: not its {@code -base} or the like. */
    static boolean isLibrary(String file, String library) {
        return Pattern.matches(
                "(lib)?" + library + "(\\.[a-z]+)?(\\.v[0-9.]+)?\\.(so(\\.[0-9.]+)?|([0-9.]+\\.)?dylib|dll)", file);
    }
}
