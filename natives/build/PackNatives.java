import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Makes the contents of a natives artifact: fetches a package with {@code npm pack}, compares its SHA-512 with the pinned
 * one, and takes the libraries out of it. Run by Maven as a source file, once for each artifact:
 *
 * <pre>java PackNatives.java PACKAGE@VERSION INTEGRITY LLAMA-VERSION PLATFORM FLAVOUR LICENCE OUTPUT</pre>
 *
 * Where npm or the network is missing, the artifact gets an index that says so and no libraries; the build goes on. A
 * package with another SHA-512 ends it.
 */
final class PackNatives {

    private static final long MOST_UNPACKED = 4L << 30;
    private static final int BLOCK = 512;

    private final String spec;
    private final String integrity;
    private final String version;
    private final String platform;
    private final String flavour;
    private final Path output;

    private PackNatives(String[] arguments) {
        spec = arguments[0];
        integrity = arguments[1];
        version = arguments[2];
        platform = arguments[3];
        flavour = arguments[4];
        output = Path.of(arguments[6]);
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 7) {
            throw new IllegalArgumentException("Seven arguments are expected, see the source");
        }
        new PackNatives(arguments).make(Path.of(arguments[5]));
    }

    private String artifact() {
        return platform + (flavour.equals("cpu") ? "" : "-" + flavour);
    }

    private Path index() {
        return output.resolve("META-INF/bloomery/natives.properties");
    }

    private Path folder() {
        return output.resolve("META-INF/bloomery/natives/" + platform + "-" + flavour);
    }

    private void make(Path licence) throws Exception {
        String source = "# " + spec + " " + integrity;
        if (Files.exists(index()) && Files.readString(index()).startsWith(source + "\n")) {
            return;
        }
        deleteOutput();
        Files.createDirectories(folder());
        Path download = Files.createTempDirectory("bloomery-natives");
        try {
            String missing = fetch(download);
            if (missing != null) {
                System.out.println("bloomery-natives-" + artifact() + " is left empty: " + missing);
                Files.writeString(index(), "missing=" + missing + "\nartifact=" + artifact() + "\n");
                return;
            }
            Path archive = onlyFile(download);
            check(archive);
            unpack(archive);
            Files.copy(licence, folder().resolve("LICENSE-llama.cpp"));
            Files.writeString(index(), source + "\n" + describe());
        } finally {
            delete(download);
        }
    }

    /** Downloads the package; returns why that was not possible, or null. */
    private String fetch(Path into) throws InterruptedException {
        boolean windows = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
        List<String> command = List.of(
                windows ? "npm.cmd" : "npm",
                "pack",
                spec,
                "--pack-destination",
                into.toString(),
                "--prefer-offline",
                "--loglevel=error");
        try {
            Process npm = new ProcessBuilder(command).redirectErrorStream(true).start();
            // A process that hangs is ended from outside, which ends its output as well
            Thread.ofPlatform().daemon().start(() -> endInTime(npm));
            String last = "";
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(npm.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    last = line.isBlank() ? last : line;
                }
            }
            if (npm.waitFor() != 0) {
                return "npm pack " + spec + " failed (" + last + ")";
            }
            return null;
        } catch (IOException e) {
            return "npm, which fetches " + spec + ", was not found";
        }
    }

    private static void endInTime(Process npm) {
        try {
            if (!npm.waitFor(10, TimeUnit.MINUTES)) {
                npm.destroyForcibly();
            }
        } catch (InterruptedException e) {
            npm.destroyForcibly();
        }
    }

    private static Path onlyFile(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.toList();
            if (found.size() != 1) {
                throw new IOException("npm pack left " + found.size() + " files; expected one");
            }
            return found.getFirst();
        }
    }

    private void check(Path archive) throws Exception {
        MessageDigest sha512 = MessageDigest.getInstance("SHA-512");
        try (InputStream in = Files.newInputStream(archive)) {
            byte[] buffer = new byte[1 << 16];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                sha512.update(buffer, 0, count);
            }
        }
        String found = "sha512-" + Base64.getEncoder().encodeToString(sha512.digest());
        if (!found.equals(integrity)) {
            throw new IOException(spec + " has integrity " + found + "; expected the pinned " + integrity);
        }
    }

    /** Takes libraries and licence out of the archive (POSIX tar, gzip). */
    private void unpack(Path archive) throws IOException {
        try (InputStream in = new GZIPInputStream(new BufferedInputStream(Files.newInputStream(archive)))) {
            byte[] head = new byte[BLOCK];
            long total = 0;
            while (in.readNBytes(head, 0, BLOCK) == BLOCK && head[0] != 0) {
                String prefix = text(head, 345, 155);
                String name = (prefix.isEmpty() ? "" : prefix + "/") + text(head, 0, 100);
                long size = Long.parseLong(text(head, 124, 12).strip(), 8);
                total += size;
                if (total > MOST_UNPACKED) {
                    throw new IOException(spec + " unpacks to more than " + MOST_UNPACKED + " bytes");
                }
                boolean file = head[156] == '0' || head[156] == 0;
                String target = file ? target(name) : null;
                if (target == null) {
                    in.skipNBytes(size);
                } else {
                    copy(in, size, folder().resolve(target));
                }
                in.skipNBytes((BLOCK - size % BLOCK) % BLOCK);
            }
        }
    }

    /** The name under which a file is kept, or null: no addon for Node.js, and nothing that only it needs. */
    private static String target(String name) {
        String file = name.substring(name.lastIndexOf('/') + 1);
        if (name.equals("package/LICENSE")) {
            return "LICENSE-node-llama-cpp";
        }
        return name.startsWith("package/bins/")
                        && file.matches("(lib)?(llama|ggml)[A-Za-z0-9._-]*\\.(so|dylib|dll)")
                        && !file.contains("llama-common")
                ? file
                : null;
    }

    private static void copy(InputStream in, long size, Path target) throws IOException {
        try (var out = Files.newOutputStream(target)) {
            byte[] buffer = new byte[1 << 16];
            for (long left = size; left > 0; ) {
                int count = in.read(buffer, 0, (int) Math.min(buffer.length, left));
                if (count < 0) {
                    throw new EOFException("The archive ends inside " + target.getFileName());
                }
                out.write(buffer, 0, count);
                left -= count;
            }
        }
    }

    private static String text(byte[] head, int from, int length) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = from; i < from + length && head[i] != 0; i++) {
            bytes.write(head[i]);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** The index: what the libraries are, and of each its length and SHA-256. */
    private String describe() throws Exception {
        TreeMap<String, Path> libraries = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder())) {
            files.filter(file -> !file.getFileName().toString().startsWith("LICENSE"))
                    .forEach(file -> libraries.put(file.getFileName().toString(), file));
        }
        if (libraries.isEmpty()) {
            throw new IOException(spec + " holds no library");
        }
        List<String> lines = new ArrayList<>(
                List.of("version=" + version, "platform=" + platform, "flavour=" + flavour));
        int number = 0;
        for (var library : libraries.entrySet()) {
            byte[] content = Files.readAllBytes(library.getValue());
            lines.add("file." + ++number + "=" + library.getKey() + " " + content.length + " "
                    + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content)));
        }
        return String.join("\n", lines) + "\n";
    }

    private void deleteOutput() throws IOException {
        delete(output.resolve("META-INF/bloomery"));
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path each : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(each);
                }
            }
        }
    }
}
