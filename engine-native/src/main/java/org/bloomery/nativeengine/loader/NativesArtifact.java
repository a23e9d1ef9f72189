package org.bloomery.nativeengine.loader;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.bloomery.engine.EngineException;

/**
 * A natives artifact on the class path, as its index describes it.
 *
 * @param version of llama.cpp
 * @param platform such as {@code linux-x86_64}
 * @param flavour such as {@code cpu}
 * @param files its libraries
 */
record NativesArtifact(String version, String platform, String flavour, List<Library> files) {

    /** Where every natives artifact has its index. */
    static final String INDEX = "META-INF/bloomery/natives.properties";

    private static final List<String> BEST_FIRST = List.of("cuda", "vulkan", "metal", "cpu");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
    private static final Pattern WORD = Pattern.compile("[a-z0-9][a-z0-9._-]{0,31}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
    private static final int MOST_FILES = 256;

    /**
     * One library.
     *
     * @param name of the file, without a folder
     * @param bytes its length
     * @param sha256 in small hexadecimal digits
     */
    record Library(String name, long bytes, String sha256) {}

    /** Resource that holds a library. */
    String resource(Library library) {
        return "META-INF/bloomery/natives/" + platform + "-" + flavour + "/" + library.name;
    }

    /**
     * Those for this machine, best first.
     *
     * @param passedOver takes a reason for each that is not used though it might be expected
     */
    static List<NativesArtifact> onClassPath(ClassLoader loader, List<String> passedOver) {
        Platform platform = Platform.current();
        List<NativesArtifact> fitting = new ArrayList<>();
        try {
            for (URL url : Collections.list(loader.getResources(INDEX))) {
                Properties index = new Properties();
                try (InputStream in = url.openStream()) {
                    index.load(in);
                }
                String missing = index.getProperty("missing");
                if (missing != null) {
                    passedOver.add(
                            "bloomery-natives-" + index.getProperty("artifact", "?") + ", which is empty: " + missing);
                } else if (platform.name().equals(index.getProperty("platform"))) {
                    fitting.add(parse(index, url));
                }
            }
        } catch (IOException e) {
            passedOver.add("natives artifacts that cannot be read (" + e + ")");
        }
        fitting.sort(Comparator.comparingInt(artifact -> rank(artifact.flavour)));
        return preferred(fitting, platform::missingFor, passedOver);
    }

    /**
     * The artifacts without those whose devices cannot be reached, as long as another one is left: the last one computes on
     * the CPU.
     *
     * @param missing what a flavour lacks on this system, or nothing
     */
    static List<NativesArtifact> preferred(
            List<NativesArtifact> bestFirst, UnaryOperator<String> missing, List<String> passedOver) {
        List<NativesArtifact> left = new ArrayList<>(bestFirst);
        while (!left.isEmpty()) {
            NativesArtifact best = left.getFirst();
            String lacks = missing.apply(best.flavour);
            if (lacks.isEmpty()) {
                break;
            }
            passedOver.add(
                    left.size() > 1
                            ? best + ", since the system has no " + lacks
                            : "the devices of " + best + ", since the system has no " + lacks);
            if (left.size() == 1) {
                break;
            }
            left.removeFirst();
        }
        return left;
    }

    private static int rank(String flavour) {
        int rank = BEST_FIRST.indexOf(flavour);
        return rank < 0 ? BEST_FIRST.size() : rank;
    }

    /** @throws EngineException if the index is malformed: it names files that will be written */
    private static NativesArtifact parse(Properties index, URL url) {
        String version = word(index, "version", url);
        String platform = word(index, "platform", url);
        String flavour = word(index, "flavour", url);
        List<Library> files = new ArrayList<>();
        for (int i = 1; index.getProperty("file." + i) != null; i++) {
            String[] parts = index.getProperty("file." + i).strip().split(" ", -1);
            if (i > MOST_FILES
                    || parts.length != 3
                    || !NAME.matcher(parts[0]).matches()
                    || !parts[1].matches("[0-9]{1,12}")
                    || !SHA256.matcher(parts[2]).matches()) {
                throw malformed(url, "file." + i, index.getProperty("file." + i));
            }
            files.add(new Library(parts[0], Long.parseLong(parts[1]), parts[2]));
        }
        if (files.isEmpty()) {
            throw malformed(url, "file.1", null);
        }
        return new NativesArtifact(version, platform, flavour, List.copyOf(files));
    }

    private static String word(Properties index, String key, URL url) {
        String value = index.getProperty(key);
        if (value == null || !WORD.matcher(value).matches()) {
            throw malformed(url, key, value);
        }
        return value;
    }

    private static EngineException malformed(URL url, String key, @org.jspecify.annotations.Nullable String found) {
        return new EngineException(String.format(
                Locale.ROOT,
                "The index of natives %s has '%s' as '%s'; expected a name, a length and a SHA-256 for each file: use the"
                        + " artifact as it was published.",
                url,
                found,
                key));
    }

    @Override
    public String toString() {
        return "bloomery-natives-" + platform + (flavour.equals("cpu") ? "" : "-" + flavour) + " (llama.cpp " + version
                + ")";
    }
}
