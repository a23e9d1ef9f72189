package org.bloomery.engine.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads a file's header in little-endian order and knows what it reads, for messages. Every read is checked against the
 * bytes left before anything is allocated for it. The header is read, not mapped, so that a file which changes under
 * the reader can give a wrong value but never a fault.
 */
final class HeaderInput {

    /** Largest header: all keys, values and tensor descriptions together. */
    static final long LARGEST_HEADER = 256L << 20;

    /** Enough for the longest key. */
    private static final int BUFFER_BYTES = 1 << 16;

    private final FileChannel channel;
    private final String file;
    private final long fileBytes;
    private final byte[] bytes;
    private final ByteBuffer buffer;
    /** Where in the file the bytes after the buffer's last lie. */
    private long bufferEnd;

    private String subject = "the header";
    private @Nullable String subjectName;

    HeaderInput(FileChannel channel, String file, long fileBytes) {
        this.channel = channel;
        this.file = file;
        this.fileBytes = fileBytes;
        this.bytes = new byte[(int) Math.min(BUFFER_BYTES, fileBytes)];
        this.buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    }

    /** Says what the next reads are about. */
    void subject(String subject, @Nullable String name) {
        this.subject = subject;
        this.subjectName = name;
    }

    String subject() {
        return subjectName == null ? subject : subject + " " + Quoted.of(subjectName);
    }

    long position() {
        return bufferEnd - buffer.remaining();
    }

    /** Bytes that the rest of the header may take. */
    long remaining() {
        return Math.min(fileBytes, LARGEST_HEADER) - position();
    }

    int uint8() throws IOException {
        return need(1).get() & 0xFF;
    }

    int int32() throws IOException {
        return need(Integer.BYTES).getInt();
    }

    long int64() throws IOException {
        return need(Long.BYTES).getLong();
    }

    /**
     * Reads a name of {@code length} bytes, no more than a buffer. It is decoded where it lies: names may fill the whole
     * header, and decoding alone may take four times their bytes.
     */
    String text(int length) throws IOException {
        int start = need(length).position();
        buffer.position(start + length);
        String text = new String(bytes, start, length, StandardCharsets.UTF_8);
        if (text.indexOf('\uFFFD') >= 0 && !isUtf8(text, start, start + length)) {
            throw refuse(subject() + " is no UTF-8");
        }
        return text;
    }

    /** Whether every replacement character in the text is one that the bytes hold: each damage would give one more. */
    private boolean isUtf8(String text, int start, int end) {
        int there = 0;
        for (int i = start; i + 2 < end; i++) {
            if (bytes[i] == (byte) 0xEF && bytes[i + 1] == (byte) 0xBF && bytes[i + 2] == (byte) 0xBD) {
                there++;
            }
        }
        int shown = 0;
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\uFFFD') {
                shown++;
            }
        }
        return shown == there;
    }

    /** Reads the next {@code count} bytes, checked by {@link #require} before they are allocated. */
    byte[] bytes(long count) throws IOException {
        require(count);
        byte[] read = new byte[Math.toIntExact(count)];
        int filled = 0;
        while (filled < read.length) {
            int chunk = Math.min(read.length - filled, need(1).remaining());
            buffer.get(read, filled, chunk);
            filled += chunk;
        }
        return read;
    }

    void skip(long count) throws IOException {
        require(count);
        position(position() + count);
    }

    /** Goes to a place that was checked before. */
    void position(long position) {
        long bufferStart = bufferEnd - buffer.limit();
        // Short arrays of strings are read twice: without this, each would fill the buffer again
        if (position >= bufferStart && position <= bufferEnd) {
            buffer.position((int) (position - bufferStart));
        } else {
            bufferEnd = position;
            buffer.limit(0);
        }
    }

    /** The file's first bytes, at most {@code most} of them, whatever was read before. */
    byte[] beginning(int most) throws IOException {
        ByteBuffer beginning = ByteBuffer.allocate((int) Math.min(most, fileBytes));
        while (beginning.hasRemaining() && channel.read(beginning, beginning.position()) >= 0) {
            // A read may give fewer bytes than were asked for
        }
        byte[] read = new byte[beginning.position()];
        beginning.flip().get(read);
        return read;
    }

    /** Refuses where fewer than {@code count} bytes, an unsigned number, are left. */
    void require(long count) {
        long left = remaining();
        if (count >= 0 && count <= left) {
            return;
        }
        String needed = subject() + " at byte " + position() + " needs " + Long.toUnsignedString(count) + " bytes and ";
        if (fileBytes > LARGEST_HEADER) {
            throw refuse(needed + "the largest header that is read has " + LARGEST_HEADER);
        }
        throw refuse(needed + left + " are left; the file is truncated or damaged");
    }

    /** A finding about this file as one sentence. */
    ModelFormatException refuse(String finding) {
        return new ModelFormatException(
                Character.toUpperCase(finding.charAt(0)) + finding.substring(1) + " (file " + file + ").");
    }

    private ByteBuffer need(int count) throws IOException {
        if (buffer.remaining() >= count) {
            return buffer;
        }
        require(count);
        long end = bufferEnd;
        buffer.compact();
        while (buffer.position() < count) {
            int read = channel.read(buffer, end);
            if (read < 0) {
                throw refuse("the file became shorter while it was read: it had " + fileBytes
                        + " bytes and ends at byte " + end);
            }
            end += read;
        }
        bufferEnd = end;
        return buffer.flip();
    }
}
