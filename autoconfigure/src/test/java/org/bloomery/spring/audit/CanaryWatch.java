package org.bloomery.spring.audit;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.filter.ThresholdFilter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/**
 * Looks for {@link Canary#TEXT} in all that is logged or printed while tests run: by this project at every level, by others
 * from DEBUG on. A test after which some was found fails, with the name of the logger. JUnit finds it by its service file.
 */
public final class CanaryWatch implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

    private static final String NAME = "canaries";
    private static final Queue<String> FOUND = new ConcurrentLinkedQueue<>();
    private static boolean watching;

    @Override
    public void beforeAll(ExtensionContext context) {
        watchLogback();
        synchronized (CanaryWatch.class) {
            if (watching) {
                return;
            }
            watching = true;
        }
        watchJavaUtilLogging();
        System.setOut(new PrintStream(new Watched(System.out, "System.out"), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new Watched(System.err, "System.err"), true, StandardCharsets.UTF_8));
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        watchLogback(); // A Spring application that was started has reset it
    }

    @Override
    public void afterEach(ExtensionContext context) {
        check();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        check();
    }

    private static void check() {
        List<String> found = findings();
        if (!found.isEmpty()) {
            throw new AssertionError("Text of a request or an answer was logged by " + String.join(", ", found)
                    + "; leave it out of messages, or out of the exceptions that are logged.");
        }
    }

    /** Where canaries were seen since this was asked last. */
    static List<String> findings() {
        List<String> found = new ArrayList<>();
        for (String each = FOUND.poll(); each != null; each = FOUND.poll()) {
            if (!found.contains(each)) {
                found.add(each);
            }
        }
        return found;
    }

    private static void look(String where, String text) {
        if (text.contains(Canary.TEXT)) {
            FOUND.add(where);
        }
    }

    private static synchronized void watchLogback() {
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        if (root.getAppender(NAME) != null) {
            return;
        }
        // What is only to be looked at need not be printed
        ThresholdFilter printed = new ThresholdFilter();
        printed.setLevel("INFO");
        printed.start();
        root.iteratorForAppenders().forEachRemaining(appender -> appender.addFilter(printed));
        AppenderBase<ILoggingEvent> watch = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                look("logger " + event.getLoggerName(), event.getFormattedMessage());
                IThrowableProxy thrown = event.getThrowableProxy();
                if (thrown != null) {
                    look("logger " + event.getLoggerName() + " (exception)", ThrowableProxyUtil.asString(thrown));
                }
            }
        };
        watch.setName(NAME);
        watch.setContext(root.getLoggerContext());
        watch.start();
        root.addAppender(watch);
        root.setLevel(Level.DEBUG);
        ((Logger) LoggerFactory.getLogger("org.bloomery")).setLevel(Level.TRACE);
    }

    private static void watchJavaUtilLogging() {
        SimpleFormatter formatter = new SimpleFormatter();
        java.util.logging.Logger root = java.util.logging.Logger.getLogger("");
        Handler watch = new Handler() {
            @Override
            public void publish(LogRecord record) {
                look("logger " + record.getLoggerName(), formatter.format(record));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        watch.setLevel(java.util.logging.Level.ALL);
        root.addHandler(watch);
        java.util.logging.Logger.getLogger("org.bloomery").setLevel(java.util.logging.Level.ALL);
    }

    /** Passes on what is printed and looks at each line. */
    private static final class Watched extends FilterOutputStream {

        private final String name;
        private final StringBuilder line = new StringBuilder();

        Watched(OutputStream out, String name) {
            super(out);
            this.name = name;
        }

        @Override
        public synchronized void write(int b) throws IOException {
            out.write(b);
            look(b);
        }

        @Override
        public synchronized void write(byte[] bytes, int from, int length) throws IOException {
            out.write(bytes, from, length);
            for (int i = from; i < from + length; i++) {
                look(bytes[i]);
            }
        }

        /** Canaries are ASCII, so bytes will do. */
        private void look(int b) {
            if (b == '\n') {
                CanaryWatch.look(name, line.toString());
                line.setLength(0);
            } else {
                line.append((char) (b & 0xff));
            }
        }
    }
}
