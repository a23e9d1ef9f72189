package org.bloomery.nativeengine.loader;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.bloomery.engine.EngineException;
import org.jspecify.annotations.Nullable;

/**
 * Where the libraries of natives artifacts are unpacked: a folder a user, below it one for each content. Every start
 * compares what lies there with the artifact's index, so that a damaged or changed library is never loaded; several
 * processes may start at once, since one at a time replaces a folder, which appears whole or not at all.
 */
final class NativesCache {

    private static final String REMEDY =
            "; make it writable for this user alone, or set library-path to a folder with llama.cpp's libraries.";

    private static final int LOCK_ATTEMPTS = 600;
    private static final long LOCK_PAUSE_MILLIS = 50;

    private final Path home;

    /** @param home the user's own folder for this */
    NativesCache(Path home) {
        this.home = home;
    }

    /** The folder by the habits of this system. */
    static Path home() {
        Path user = Path.of(System.getProperty("user.home", "?"));
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String configured = System.getenv(os.startsWith("windows") ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
        Path base;
        if (configured == null && !user.isAbsolute()) {
            // A container's user may have no home; the name tells users apart
            String name = System.getProperty("user.name", "?").replaceAll("[^A-Za-z0-9._-]", "_");
            return Path.of(System.getProperty("java.io.tmpdir")).resolve("bloomery-natives-" + name);
        }
        if (configured != null && Path.of(configured).isAbsolute()) {
            base = Path.of(configured);
        } else {
            base = os.startsWith("mac") ? user.resolve("Library/Caches") : user.resolve(".cache");
        }
        return base.resolve("bloomery").resolve("natives");
    }

    /**
     * The folder with the artifact's libraries, unpacked if it is not there yet.
     *
     * @throws EngineException if the cache cannot be used, or the artifact does not hold what its index says
     */
    Path extract(NativesArtifact artifact, ClassLoader loader) {
        Path folder = home.resolve(artifact.version() + "-" + artifact.platform() + "-" + artifact.flavour() + "-"
                + digest(artifact).substring(0, 16));
        try {
            makeHome();
            if (holds(folder, artifact)) {
                return folder;
            }
            synchronized (NativesCache.class) {
                try (FileChannel channel = FileChannel.open(
                                home.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                        FileLock lock = lock(channel)) {
                    if (lock.isValid() && !holds(folder, artifact)) {
                        replace(folder, artifact, loader);
                    }
                }
            }
            return folder;
        } catch (IOException e) {
            throw new EngineException(
                    "The cache of native libraries " + home + " cannot be used (" + e + ")" + REMEDY, e);
        }
    }

    /** Waits for the lock; this class may be there twice in one JVM, which the system's locks do not tell apart. */
    private static FileLock lock(FileChannel channel) throws IOException {
        for (int attempt = 0; ; attempt++) {
            try {
                return channel.lock();
            } catch (OverlappingFileLockException e) {
                if (attempt == LOCK_ATTEMPTS) {
                    throw new IOException("the lock of the cache is held for too long", e);
                }
                try {
                    TimeUnit.MILLISECONDS.sleep(LOCK_PAUSE_MILLIS);
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted while waiting for the lock of the cache", interrupted);
                }
            }
        }
    }

    private void makeHome() throws IOException {
        if (!Files.isDirectory(home)) {
            Files.createDirectories(home.toAbsolutePath().getParent());
            if (Files.getFileStore(home.toAbsolutePath().getParent()).supportsFileAttributeView("posix")) {
                // Whatever the process's mask says: others could put a library here
                try {
                    Files.createDirectory(
                            home, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
                } catch (FileAlreadyExistsException e) {
                    // Another process was faster; what it made is looked at below
                }
            } else {
                Files.createDirectories(home);
            }
        }
        if (!Files.getFileStore(home).supportsFileAttributeView("posix")) {
            return;
        }
        PosixFileAttributes attributes =
                Files.readAttributes(home, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        Path probe = Files.createTempFile(home, "owner", "");
        boolean own = Files.getOwner(probe).equals(attributes.owner());
        Files.delete(probe);
        if (!own || attributes.isSymbolicLink()) {
            throw new EngineException("The cache of native libraries " + home + " belongs to "
                    + attributes.owner().getName() + (attributes.isSymbolicLink() ? " and is a link" : "") + REMEDY);
        }
        Set<PosixFilePermission> permissions = attributes.permissions();
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new EngineException("The cache of native libraries " + home + " is writable by others ("
                    + PosixFilePermissions.toString(permissions) + ")" + REMEDY);
        }
    }

    /** Whether the folder holds the artifact's libraries, bit by bit, and nothing else: all in it may be loaded. */
    private static boolean holds(Path folder, NativesArtifact artifact) throws IOException {
        try {
            return compare(folder, artifact);
        } catch (NoSuchFileException e) {
            // Another process is just replacing it
            return false;
        }
    }

    private static boolean compare(Path folder, NativesArtifact artifact) throws IOException {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (Stream<Path> files = Files.list(folder)) {
            if (files.count() != artifact.files().size()) {
                return false;
            }
        }
        for (NativesArtifact.Library library : artifact.files()) {
            Path file = folder.resolve(library.name());
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                    || Files.size(file) != library.bytes()
                    || !hash(Files.newInputStream(file), null, library.bytes()).equals(library.sha256())) {
                return false;
            }
        }
        return true;
    }

    private static void unpack(
            NativesArtifact artifact, NativesArtifact.Library library, ClassLoader loader, Path folder)
            throws IOException {
        InputStream in = loader.getResourceAsStream(artifact.resource(library));
        if (in == null) {
            throw new EngineException("The artifact " + artifact + " has no " + library.name()
                    + ", which its index names; use the artifact as it was published.");
        }
        Path file = folder.resolve(library.name());
        String found;
        try (OutputStream out = Files.newOutputStream(file)) {
            found = hash(in, out, library.bytes());
        }
        if (!found.equals(library.sha256())) {
            throw new EngineException("The artifact " + artifact + " holds " + library.name() + " with SHA-256 " + found
                    + " instead of " + library.sha256() + "; use the artifact as it was published.");
        }
    }

    /**
     * Unpacks the artifact beside the folder and puts it in the folder's place. A damaged folder is moved away in one step,
     * so that what another process has loaded from it stays mapped.
     */
    private void replace(Path folder, NativesArtifact artifact, ClassLoader loader) throws IOException {
        Path fresh = Files.createTempDirectory(home, "unpacking");
        Path damaged = Files.createTempDirectory(home, "damaged");
        try {
            for (NativesArtifact.Library library : artifact.files()) {
                unpack(artifact, library, loader, fresh);
            }
            if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
                move(folder, damaged.resolve("old"));
            }
            move(fresh, folder);
        } finally {
            delete(fresh);
            delete(damaged);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to);
        }
    }

    /** SHA-256 of at most {@code most} bytes and one more, copied to {@code out}. */
    private static String hash(InputStream source, @Nullable OutputStream out, long most) throws IOException {
        try (DigestInputStream in = new DigestInputStream(source, sha256())) {
            byte[] buffer = new byte[1 << 16];
            long left = most;
            for (int count = in.read(buffer); count >= 0 && left >= 0; count = in.read(buffer)) {
                left -= count;
                if (out != null) {
                    out.write(buffer, 0, count);
                }
            }
            return HexFormat.of().formatHex(in.getMessageDigest().digest());
        }
    }

    private static String digest(NativesArtifact artifact) {
        return HexFormat.of()
                .formatHex(sha256().digest(artifact.files().toString().getBytes(StandardCharsets.UTF_8)));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new EngineException("This JVM has no SHA-256, which every JVM must have.", e);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException e) throws IOException {
                Files.delete(dir);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
