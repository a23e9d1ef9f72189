package org.bloomery.engine.worker;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.List;

/**
 * One end of the connection between an engine and its worker: frames of a length (4 bytes, big-endian, of what follows
 * it), a kind (1 byte) and a payload. Any thread may send; one thread receives.
 */
final class Wire implements Closeable {

    /** What a frame says. The first group goes to the worker, the second comes from it. */
    enum Kind {
        OPEN,
        FORWARD,
        TRUNCATE,
        COPY,
        INTERRUPT,
        CLOSE,
        /** The worker lives; sent all the time. */
        BEAT,
        PROGRESS,
        OPENED,
        /** Logits of one token, in the machine's byte order; {@link #DONE} follows the last. */
        ROW,
        DONE,
        FAILED;

        private static final List<Kind> ALL = List.of(values());

        byte code() {
            return (byte) ALL.indexOf(this);
        }
    }

    /** Writes a payload. */
    @FunctionalInterface
    interface Payload {
        Payload NONE = out -> {};

        void write(DataOutputStream out) throws IOException;
    }

    /** Larger than any batch of tokens and any row of logits. */
    private static final int MAX_PAYLOAD = 64 << 20;

    private static final int HEAD_BYTES = 5;

    private final SocketChannel channel;
    private final ByteBuffer outHead = ByteBuffer.allocateDirect(HEAD_BYTES);
    private final ByteBuffer inHead = ByteBuffer.allocateDirect(HEAD_BYTES);
    private int payloadBytes;

    /** @param channel connected and blocking; owned by this object from now on */
    Wire(SocketChannel channel) {
        this.channel = channel;
    }

    void send(Kind kind, Payload payload) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        payload.write(new DataOutputStream(bytes));
        send(kind, ByteBuffer.wrap(bytes.toByteArray()));
    }

    /** Sends what remains of the payload. */
    synchronized void send(Kind kind, ByteBuffer payload) throws IOException {
        outHead.clear();
        outHead.putInt(1 + payload.remaining()).put(kind.code()).flip();
        ByteBuffer[] parts = {outHead, payload};
        while (payload.hasRemaining() || outHead.hasRemaining()) {
            channel.write(parts);
        }
    }

    /**
     * Waits for the next frame and reads its head. Its payload must be read next.
     *
     * @throws EOFException if the other side has gone
     */
    Kind next() throws IOException {
        inHead.clear();
        fill(inHead);
        inHead.flip();
        int length = inHead.getInt();
        int kind = inHead.get();
        if (length < 1 || length > MAX_PAYLOAD || kind < 0 || kind >= Kind.ALL.size()) {
            throw new IOException("A frame has length " + length + " and kind " + kind + "; expected 1 to "
                    + MAX_PAYLOAD + " and 0 to " + (Kind.ALL.size() - 1) + ".");
        }
        payloadBytes = length - 1;
        return Kind.ALL.get(kind);
    }

    /** Bytes of the payload of the frame that {@link #next} read the head of. */
    int payloadBytes() {
        return payloadBytes;
    }

    DataInputStream payload() throws IOException {
        byte[] bytes = new byte[payloadBytes];
        fill(ByteBuffer.wrap(bytes));
        return new DataInputStream(new ByteArrayInputStream(bytes));
    }

    /** Reads the payload into {@code target}, which has exactly as many bytes left. */
    void payload(ByteBuffer target) throws IOException {
        fill(target);
    }

    private void fill(ByteBuffer target) throws IOException {
        while (target.hasRemaining()) {
            if (channel.read(target) < 0) {
                throw new EOFException("The other side has gone.");
            }
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
