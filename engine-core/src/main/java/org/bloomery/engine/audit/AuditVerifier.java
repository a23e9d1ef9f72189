package org.bloomery.engine.audit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Reads an audit file from its beginning and says whether its chain holds. Takes the memory of its longest line. */
public final class AuditVerifier {

    private AuditVerifier() {}

    /**
     * What was found.
     *
     * @param records lines that hold, up to the first that does not
     * @param lastHash hash of the last of them, 64 zeros where there is none
     * @param sought whether the hash that was asked for is among theirs; true where none was
     * @param problem the first line that does not hold, or null where all do
     */
    public record Report(
            long records,
            String lastHash,
            boolean sought,
            @Nullable Problem problem) {

        /** Whether every line holds and the hash that was asked for was there. */
        public boolean intact() {
            return problem == null && sought;
        }
    }

    /**
     * Where a chain ends before its file does.
     *
     * @param line number of the line, from 1
     * @param offset bytes of the file before it
     * @param reason what is wrong with it: the rest of a sentence that begins with the line
     */
    public record Problem(long line, long offset, String reason) {}

    /**
     * Checks a file.
     *
     * @param sought a hash noted earlier that a line must have, or null
     * @throws UncheckedIOException if the file cannot be read
     */
    public static Report verify(Path file, @Nullable String sought) {
        try (InputStream in = Files.newInputStream(file)) {
            return verify(in, sought);
        } catch (IOException e) {
            String reason = e instanceof NoSuchFileException ? "it is not there" : String.valueOf(e.getMessage());
            throw new UncheckedIOException("Audit file " + file + " cannot be read: " + reason + ".", e);
        }
    }

    static Report verify(InputStream in, @Nullable String sought) throws IOException {
        Lines lines = new Lines(in);
        ChainLine before = ChainLine.beginning();
        boolean found = sought == null;
        while (true) {
            long offset = lines.offset;
            String problem = null;
            try {
                if (!lines.next()) {
                    return new Report(before.sequence(), before.hash(), found, null);
                }
                ChainLine line = ChainLine.read(lines.bytes, lines.length);
                if (line.sequence() != before.sequence() + 1) {
                    problem = "has the number " + line.sequence() + "; expected " + (before.sequence() + 1);
                } else if (!line.previous().equals(before.hash())) {
                    problem = "does not follow the line before it: it names the hash " + line.previous()
                            + ", but that line has " + before.hash();
                } else {
                    before = line;
                    found |= line.hash().equals(sought);
                }
            } catch (ChainLine.BrokenLineException e) {
                problem = String.valueOf(e.getMessage());
            }
            if (problem != null) {
                return new Report(
                        before.sequence(), before.hash(), found, new Problem(before.sequence() + 1, offset, problem));
            }
        }
    }

    /** Lines of bounded length, one after the other. */
    private static final class Lines {

        private final InputStream in;
        private final byte[] buffer = new byte[1 << 16];
        private int at;
        private int filled;
        private byte[] bytes = new byte[4096];
        private int length;
        private long offset;

        Lines(InputStream in) {
            this.in = in;
        }

        /** Puts the next line into {@link #bytes}, without its line feed; false at the end. */
        boolean next() throws IOException, ChainLine.BrokenLineException {
            length = 0;
            while (true) {
                if (at == filled) {
                    at = 0;
                    filled = Math.max(0, in.read(buffer));
                    if (filled == 0) {
                        if (length > 0) {
                            throw new ChainLine.BrokenLineException(
                                    "is incomplete: its writing was cut off after " + length + " bytes");
                        }
                        return false;
                    }
                }
                int end = at;
                while (end < filled && buffer[end] != '\n') {
                    end++;
                }
                append(end - at);
                offset += end - at;
                at = end;
                if (at < filled) {
                    at++;
                    offset++;
                    return true;
                }
            }
        }

        private void append(int count) throws ChainLine.BrokenLineException {
            if (length + count > ChainLine.MOST_BYTES) {
                throw new ChainLine.BrokenLineException("is longer than " + ChainLine.MOST_BYTES + " bytes");
            }
            if (length + count > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + count));
            }
            System.arraycopy(buffer, at, bytes, length, count);
            length += count;
        }
    }
}
