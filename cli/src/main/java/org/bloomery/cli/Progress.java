package org.bloomery.cli;

import java.io.Console;
import org.bloomery.engine.backend.LoadProgress;

/** Shows on standard error how far long work is: one line that moves on a terminal, nothing elsewhere. */
final class Progress implements LoadProgress, AutoCloseable {

    private static final int WIDTH = 30;

    private final String what;
    private final boolean terminal = onTerminal();
    private int shown = -1;

    Progress(String what) {
        this.what = what;
    }

    /** Whether a person is looking. */
    @SuppressWarnings("SystemConsoleNull") // JDK 25 gives null again where there is no terminal
    static boolean onTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    @Override
    public void loaded(double fraction) {
        int percent = (int) Math.clamp(Math.round(fraction * 100), 0L, 100L);
        if (!terminal || percent == shown) {
            return;
        }
        shown = percent;
        int filled = percent * WIDTH / 100;
        System.err.printf("\r%s [%s%s] %3d %%", what, "#".repeat(filled), ".".repeat(WIDTH - filled), percent);
        System.err.flush();
    }

    /** Clears the line. */
    @Override
    public void close() {
        if (shown >= 0) {
            System.err.print("\r" + " ".repeat(what.length() + WIDTH + 9) + "\r");
            System.err.flush();
        }
    }
}
