package org.bloomery.engine.audit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An audit file that grows by one chained line a record. Safe for use by many threads: one thread of its own takes the
 * records that came together, writes them at once and forces them at once, then acknowledges each.
 *
 * <p>The file belongs to one log at a time, which a lock holds, and to its owner alone: its permissions are 0600. A log
 * continues the chain of a file that is there. A last line whose writing was cut off, as when the process was killed, was
 * never acknowledged: it is cut off, and a note in the chain says how many bytes it had and what their SHA-256 was.
 *
 * <p>When a batch cannot be written it is taken back and its records fail; the next one is tried again. After a failed
 * force nobody knows what the disk has, so that the log refuses everything from then on.
 */
public final class AuditLog implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(AuditLog.class.getName());
    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rw-------");
    private static final int MOST_WAITING = 100_000;
    private static final int MOST_OF_A_BATCH = 4096;
    private static final int BATCH_BYTES = 4 << 20;
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** A record on its way to the file; without one it asks the writer to end. */
    private record Entry(@Nullable AuditRecord record, CompletableFuture<Receipt> receipt) {}

    /**
     * That a record is kept.
     *
     * @param sequence its line's number
     * @param hash its line's hash
     */
    public record Receipt(long sequence, String hash) {}

    private final Path file;
    private final FileChannel channel;
    private final FsyncPolicy fsync;
    private final LinkedBlockingQueue<Entry> waiting = new LinkedBlockingQueue<>(MOST_WAITING);
    private final Thread writer;

    /** The writer's own. */
    private ChainLine last;

    private long length;
    private boolean dirty;
    private long forcedNanos = System.nanoTime();

    private volatile @Nullable String failure;
    private volatile boolean closed;

    private AuditLog(Path file, FileChannel channel, FsyncPolicy fsync, ChainLine last, long length) {
        this.file = file;
        this.channel = channel;
        this.fsync = fsync;
        this.last = last;
        this.length = length;
        this.writer = Thread.ofPlatform().daemon().name("bloomery-audit").unstarted(this::write);
    }

    /**
     * Opens a file to append to, or creates it in a folder that is there.
     *
     * @throws AuditException if it is a link, is no audit file, belongs to another log or cannot be written
     */
    public static AuditLog open(Path file, FsyncPolicy fsync) {
        FileChannel channel = null;
        AuditLog log = null;
        try {
            channel = channel(file);
            lock(file, channel);
            log = over(file, channel, fsync);
            return log;
        } catch (IOException e) {
            throw new AuditException(
                    "Audit file " + file + " cannot be opened (" + reason(e) + "); name a file that this process may"
                            + " write, in a folder that is there.",
                    e);
        } finally {
            if (log == null && channel != null) {
                closeQuietly(channel);
            }
        }
    }

    /** A log over a channel that is open and locked. */
    static AuditLog over(Path file, FileChannel channel, FsyncPolicy fsync) throws IOException {
        AuditLog log = continued(file, channel, fsync);
        log.writer.start();
        return log;
    }

    private static FileChannel channel(Path file) throws IOException {
        if (Files.isSymbolicLink(file)) {
            throw new AuditException("Audit file " + file + " is a symbolic link; name the file itself.");
        }
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new AuditException("Audit file " + file + " is no regular file; name one.");
        }
        // The open itself does not follow a link either, so one that comes in between is refused too
        Set<OpenOption> existing = Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        try {
            FileChannel channel = FileChannel.open(file, existing);
            PosixFileAttributeView view =
                    Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
            if (view != null && !view.readAttributes().permissions().equals(PRIVATE)) {
                Files.setPosixFilePermissions(file, PRIVATE);
            }
            return channel;
        } catch (NoSuchFileException e) {
            return create(file);
        }
    }

    private static FileChannel create(Path file) throws IOException {
        boolean posix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] permissions = posix
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PRIVATE)}
                : new FileAttribute<?>[0];
        FileChannel channel = FileChannel.open(
                file,
                Set.of(
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE_NEW,
                        LinkOption.NOFOLLOW_LINKS),
                permissions);
        Path folder = file.toAbsolutePath().getParent();
        if (posix && folder != null) {
            // The file's name outlives a power failure only once its folder is on the disk
            try (FileChannel entry = FileChannel.open(folder, StandardOpenOption.READ)) {
                entry.force(true);
            }
        }
        return channel;
    }

    private static void lock(Path file, FileChannel channel) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            throw new AuditException("Audit file " + file
                    + " is being written by another process or another log of this one; give each a file of its own.");
        }
    }

    /** Finds the end of the chain. Earlier lines are not read: that is {@link AuditVerifier}'s work. */
    private static AuditLog continued(Path file, FileChannel channel, FsyncPolicy fsync) throws IOException {
        byte[] end = end(channel);
        int feed = lastFeed(end, end.length);
        ChainLine last = ChainLine.beginning();
        long length = channel.size();
        int torn = end.length - feed - 1;
        if (torn > 0) {
            byte[] tail = java.util.Arrays.copyOfRange(end, feed + 1, end.length);
            ChainLine whole = lineOrNull(tail);
            if (whole != null) {
                // Only the line feed is missing
                channel.write(ByteBuffer.wrap(new byte[] {'\n'}), length);
                return new AuditLog(file, channel, fsync, whole, length + 1);
            }
            length -= torn;
        }
        if (feed >= 0) {
            last = lastLine(file, end, feed);
        } else if (length > 0) {
            throw new AuditException("Audit file " + file + " ends with a line of more than " + ChainLine.MOST_BYTES
                    + " bytes, so it is no audit file; name another.");
        }
        AuditLog log = new AuditLog(file, channel, fsync, last, length);
        if (torn > 0) {
            log.cutOff(java.util.Arrays.copyOfRange(end, feed + 1, end.length));
        }
        return log;
    }

    private static ChainLine lastLine(Path file, byte[] end, int feed) {
        int before = lastFeed(end, feed);
        byte[] line = java.util.Arrays.copyOfRange(end, before + 1, feed);
        try {
            return ChainLine.read(line, line.length);
        } catch (ChainLine.BrokenLineException e) {
            throw new AuditException("Audit file " + file + " cannot be continued, because its last line "
                    + e.getMessage() + "; keep it for examination and name another file.");
        }
    }

    private static @Nullable ChainLine lineOrNull(byte[] line) {
        try {
            return ChainLine.read(line, line.length);
        } catch (ChainLine.BrokenLineException e) {
            return null;
        }
    }

    /** As much of the file's end as the last line and a torn one can take. */
    private static byte[] end(FileChannel channel) throws IOException {
        long size = channel.size();
        int wanted = 1 << 16;
        while (true) {
            int count = (int) Math.min(size, wanted);
            ByteBuffer buffer = ByteBuffer.allocate(count);
            while (buffer.hasRemaining() && channel.read(buffer, size - count + buffer.position()) >= 0) {
                // Until all is there
            }
            byte[] end = buffer.array();
            int feed = lastFeed(end, end.length);
            boolean whole = count == size || (feed >= 0 && lastFeed(end, feed) >= 0);
            if (whole || wanted >= 2 * ChainLine.MOST_BYTES) {
                return end;
            }
            wanted *= 2;
        }
    }

    private static int lastFeed(byte[] bytes, int before) {
        for (int i = before - 1; i >= 0; i--) {
            if (bytes[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    private void cutOff(byte[] torn) throws IOException {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("time", Instant.now().toString());
        facts.put("note", "An unfinished last line was cut off.");
        facts.put("bytes", Integer.toString(torn.length));
        facts.put("sha256", HexFormat.of().formatHex(ChainLine.digest(new byte[0], torn, torn.length)));
        LOG.log(
                System.Logger.Level.WARNING,
                "Audit file " + file + " ended with an unfinished line of " + torn.length
                        + " bytes, which was never acknowledged; it is cut off and noted.");
        ByteArrayOutputStream note = new ByteArrayOutputStream();
        ChainLine line = ChainLine.note(facts, last, note);
        channel.truncate(length);
        writeAll(ByteBuffer.wrap(note.toByteArray()));
        channel.force(true);
        last = line;
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /**
     * Appends a record. The result completes when it is kept as the policy has it, or with an {@link AuditException}.
     * Never blocks.
     */
    public CompletableFuture<Receipt> append(AuditRecord record) {
        Entry entry = new Entry(record, new CompletableFuture<>());
        if (refusal() == null && waiting.offer(entry)) {
            // Closed in between: whoever takes it out completes it
            if (closed && waiting.remove(entry)) {
                entry.receipt.completeExceptionally(new AuditException(refused()));
            }
        } else {
            entry.receipt.completeExceptionally(new AuditException(refused()));
        }
        return entry.receipt;
    }

    /** Why no record can be kept at this moment: a sentence, or null where nothing is known against it. */
    public @Nullable String refusal() {
        if (closed) {
            return "Audit file " + file + " is closed, so no record can be kept.";
        }
        return failure;
    }

    private String refused() {
        String known = refusal();
        return known != null
                ? known
                : "Audit file " + file + " has " + MOST_WAITING
                        + " records waiting to be written; the disk is too slow.";
    }

    /** Writes what waits, forces it and lets go of the file. Idempotent. */
    @Override
    public void close() {
        boolean interrupted = false;
        synchronized (this) {
            if (!closed) {
                closed = true;
                Entry end = new Entry(null, new CompletableFuture<>());
                while (true) {
                    try {
                        waiting.put(end);
                        break;
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
            }
        }
        while (writer.isAlive()) {
            try {
                writer.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void write() {
        List<Entry> batch = new ArrayList<>();
        boolean ending = false;
        while (!ending) {
            batch.clear();
            Entry first = next();
            if (first != null) {
                batch.add(first);
                waiting.drainTo(batch, MOST_OF_A_BATCH - 1);
                ending = batch.removeIf(entry -> entry.record == null);
                write(batch);
            }
            forceInTime(ending);
        }
        closeQuietly(channel);
        for (Entry late = waiting.poll(); late != null; late = waiting.poll()) {
            late.receipt.completeExceptionally(new AuditException(refused()));
        }
    }

    private @Nullable Entry next() {
        while (true) {
            try {
                return dirty && fsync == FsyncPolicy.INTERVAL
                        ? waiting.poll(INTERVAL.toMillis(), TimeUnit.MILLISECONDS)
                        : waiting.take();
            } catch (InterruptedException e) {
                // Nobody has this thread; close() ends it
            }
        }
    }

    /** Writes a batch, in pieces that fit the memory set aside for them. */
    private void write(List<Entry> batch) {
        int done = 0;
        while (done < batch.size()) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            ChainLine before = last;
            List<Entry> written = new ArrayList<>();
            List<Receipt> receipts = new ArrayList<>();
            while (done < batch.size() && bytes.size() < BATCH_BYTES) {
                Entry entry = batch.get(done++);
                AuditRecord record = entry.record;
                if (record == null) {
                    continue;
                }
                try {
                    ChainLine line = ChainLine.write(record, last, bytes);
                    last = line;
                    written.add(entry);
                    receipts.add(new Receipt(line.sequence(), line.hash()));
                } catch (RuntimeException e) {
                    entry.receipt.completeExceptionally(
                            e instanceof AuditException
                                    ? e
                                    : new AuditException("An audit record cannot be written.", e));
                }
            }
            AuditException error = keep(bytes.toByteArray(), before);
            for (int i = 0; i < written.size(); i++) {
                if (error == null) {
                    written.get(i).receipt.complete(receipts.get(i));
                } else {
                    written.get(i).receipt.completeExceptionally(error);
                }
            }
        }
    }

    private @Nullable AuditException keep(byte[] bytes, ChainLine before) {
        String known = failure;
        if (known != null) {
            last = before;
            return new AuditException(known);
        }
        try {
            writeAll(ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            last = before;
            takeBack();
            return new AuditException("Audit file " + file + " cannot be written (" + reason(e) + ").", e);
        }
        dirty = true;
        return fsync == FsyncPolicy.ALWAYS ? force() : null;
    }

    private void writeAll(ByteBuffer bytes) throws IOException {
        long at = length;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
        length = at;
    }

    private void takeBack() {
        try {
            channel.truncate(length);
        } catch (IOException e) {
            failure = "Audit file " + file + " has half a record at its end that cannot be taken back (" + reason(e)
                    + "); restart when its disk is in order.";
        }
    }

    private void forceInTime(boolean ending) {
        if (!dirty || fsync == FsyncPolicy.NEVER) {
            return;
        }
        if (ending || System.nanoTime() - forcedNanos >= INTERVAL.toNanos()) {
            AuditException error = force();
            if (error != null) {
                LOG.log(System.Logger.Level.ERROR, error.getMessage());
            }
        }
    }

    private @Nullable AuditException force() {
        try {
            channel.force(false);
            dirty = false;
            forcedNanos = System.nanoTime();
            return null;
        } catch (IOException e) {
            dirty = false;
            failure = "Audit file " + file + " could not be forced to the disk (" + reason(e)
                    + "), so nobody knows what it has; restart when its disk is in order.";
            return new AuditException(failure, e);
        }
    }

    private static String reason(IOException e) {
        return e instanceof NoSuchFileException || e instanceof FileAlreadyExistsException
                ? e.getClass().getSimpleName()
                : String.valueOf(e.getMessage());
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "Closing an audit file failed: " + e.getMessage());
        }
    }
}
