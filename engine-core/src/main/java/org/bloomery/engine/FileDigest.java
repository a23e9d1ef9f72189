package org.bloomery.engine;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.bloomery.engine.store.ModelDigest;
import org.jspecify.annotations.Nullable;

/**
 * The digest of the files that a model was loaded from. They are read once, on a thread of their own, when it is first asked
 * for; where they were changed before that, there is no digest rather than one of another model. Safe for use by many threads.
 */
final class FileDigest implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(FileDigest.class.getName());

    private final List<Path> parts;
    private final List<Stamp> loaded;
    private @Nullable CompletableFuture<String> sha256;
    private @Nullable Thread reader;
    private boolean closed;

    /** What tells that a file was changed or replaced; the size is -1 where it cannot be told. */
    private record Stamp(
            long size,
            @Nullable FileTime modified,
            @Nullable Object key) {

        static Stamp of(Path file) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                return new Stamp(attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
            } catch (IOException e) {
                return new Stamp(-1, null, null);
            }
        }
    }

    /** @param parts the model's files, just opened, in order */
    FileDigest(List<Path> parts) {
        this.parts = List.copyOf(parts);
        this.loaded = stamps();
    }

    private List<Stamp> stamps() {
        return parts.stream().map(Stamp::of).toList();
    }

    /** As {@link Engine#modelDigest}. */
    synchronized CompletableFuture<String> sha256() {
        CompletableFuture<String> known = sha256;
        if (known == null) {
            CompletableFuture<String> asked = new CompletableFuture<>();
            Thread thread = Thread.ofPlatform().name("bloomery-digest").daemon().unstarted(() -> compute(asked));
            sha256 = asked;
            reader = thread;
            if (closed) {
                asked.completeExceptionally(new EngineClosedException("The model was freed before its file was read."));
            } else {
                thread.start();
            }
            known = asked;
        }
        return known.copy();
    }

    private void compute(CompletableFuture<String> asked) {
        try {
            String digest = ModelDigest.ofParts(parts).sha256();
            if (!stamps().equals(loaded)) {
                throw new EngineException("Model file " + parts.getFirst().getFileName()
                        + " was changed after it was loaded, so its digest is not that of the model in memory; load it"
                        + " again.");
            }
            asked.complete(digest);
        } catch (Throwable t) {
            // Errors too, or whoever waits would wait for ever
            if (!isClosed()) {
                LOG.log(Level.WARNING, "The digest of the model cannot be told: {0}", String.valueOf(t.getMessage()));
            }
            asked.completeExceptionally(t);
        }
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    /** Gives reading up; what was not known by then fails. */
    @Override
    public synchronized void close() {
        closed = true;
        if (reader != null) {
            reader.interrupt();
        }
    }
}
