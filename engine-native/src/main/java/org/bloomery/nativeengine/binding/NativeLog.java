package org.bloomery.nativeengine.binding;

import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Passes llama.cpp's log on to {@link System.Logger}, line by line: its errors as errors, the rest, hundreds of lines a
 * model, as debugging and tracing. It writes of files and devices, never of prompts, since none
 * reach it as text. Keeps the last errors, which say why a call failed.
 */
public final class NativeLog {

    private static final System.Logger LOG = System.getLogger("org.bloomery.nativeengine.llama");

    private static final int LEVEL_INFO = 2;
    private static final int LEVEL_WARN = 3;
    private static final int LEVEL_ERROR = 4;
    private static final int LEVEL_CONTINUED = 5;

    private static final int MOST_LINE = 4096;
    private static final int KEPT = 8;

    private final StringBuilder line = new StringBuilder();
    private int lineLevel = LEVEL_INFO;
    private final Deque<String> errors = new ArrayDeque<>();
    private final Deque<String> loaded = new ArrayDeque<>();

    /** Sends a library's log here from now on. */
    public static NativeLog of(Llama library) {
        NativeLog log = new NativeLog();
        library.logTo(Upcalls.log(log));
        return log;
    }

    NativeLog() {}

    /** One piece; native code calls it on any thread. */
    @SuppressWarnings({"unused", "CatchingUnchecked"})
    void accept(int level, MemorySegment text, MemorySegment data) {
        try {
            accept(level, Llama.text(text));
        } catch (Throwable t) {
            // Nothing may escape into native code, and there is nowhere else to tell
        }
    }

    synchronized void accept(int level, String text) {
        if (level != LEVEL_CONTINUED) {
            flush();
            lineLevel = level;
        }
        line.append(text, 0, Math.min(text.length(), MOST_LINE));
        if (line.length() >= MOST_LINE || (!line.isEmpty() && line.charAt(line.length() - 1) == '\n')) {
            flush();
        }
    }

    private void flush() {
        String whole = line.toString().strip();
        line.setLength(0);
        if (whole.isEmpty()) {
            return;
        }
        if (lineLevel == LEVEL_ERROR) {
            keep(errors, whole);
        }
        if (whole.contains("loaded ")) {
            keep(loaded, whole);
        }
        LOG.log(level(lineLevel), "{0}", whole);
    }

    private static void keep(Deque<String> kept, String line) {
        kept.addLast(line);
        if (kept.size() > KEPT) {
            kept.removeFirst();
        }
    }

    private static Level level(int level) {
        return switch (level) {
            case LEVEL_ERROR -> Level.ERROR;
            case LEVEL_WARN -> Level.DEBUG;
            default -> Level.TRACE;
        };
    }

    /** Forgets the errors so far. */
    public synchronized void forgetErrors() {
        errors.clear();
    }

    /** The last errors since they were forgotten, oldest first. */
    public synchronized List<String> errors() {
        flush();
        return List.copyOf(errors);
    }

    /** Lines that tell which backends were loaded from which files. */
    public synchronized List<String> loaded() {
        flush();
        return List.copyOf(loaded);
    }
}
