package org.bloomery.engine.audit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * One line of an audit file, as the package description has it.
 *
 * @param sequence its number, from 1
 * @param previous hash of the line before
 * @param hash its own hash
 */
record ChainLine(long sequence, String previous, String hash) {

    /** What the first line has in place of a hash before it. */
    static final String BEGINNING = "0".repeat(64);

    /** Most bytes of a line: a record with two texts whose every character is escaped. */
    static final int MOST_BYTES = 16 << 20;

    private static final JsonFactory JSON = new JsonFactory();
    private static final byte[] SEQUENCE = ascii("{\"seq\":");
    private static final byte[] PREVIOUS = ascii(",\"prev\":\"");
    private static final byte[] RECORD = ascii("\",\"record\":");
    private static final byte[] HASH = ascii(",\"hash\":\"");
    private static final byte[] END = ascii("\"}");
    private static final int TAIL = HASH.length + 64 + END.length;

    /** A line that is none, with the reason. */
    static final class BrokenLineException extends Exception {
        BrokenLineException(String reason) {
            super(reason);
        }
    }

    /** Writes a request's record as the line after {@code before}, with its line feed. */
    static ChainLine write(AuditRecord record, ChainLine before, ByteArrayOutputStream out) {
        return write(before, out, json -> request(json, record));
    }

    /** Writes a note about the file itself as the line after {@code before}, with its line feed. */
    static ChainLine note(Map<String, String> facts, ChainLine before, ByteArrayOutputStream out) {
        return write(before, out, json -> {
            json.writeStringProperty("type", "note");
            facts.forEach(json::writeStringProperty);
        });
    }

    /** The beginning of a chain: what the first line comes after. */
    static ChainLine beginning() {
        return new ChainLine(0, BEGINNING, BEGINNING);
    }

    private interface Body {
        void write(JsonGenerator json);
    }

    private static ChainLine write(ChainLine before, ByteArrayOutputStream out, Body body) {
        long sequence = before.sequence + 1;
        ByteArrayOutputStream line = new ByteArrayOutputStream(1024);
        line.writeBytes(SEQUENCE);
        line.writeBytes(ascii(Long.toString(sequence)));
        line.writeBytes(PREVIOUS);
        line.writeBytes(ascii(before.hash));
        line.writeBytes(RECORD);
        try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), line)) {
            json.writeStartObject();
            body.write(json);
            json.writeEndObject();
        }
        byte[] hashed = line.toByteArray();
        String hash = HexFormat.of().formatHex(digest(ascii(before.hash), hashed, hashed.length));
        if (hashed.length + TAIL >= MOST_BYTES) {
            throw new AuditException("An audit record takes " + hashed.length + " bytes; at most " + MOST_BYTES
                    + " are allowed, so leave contents out.");
        }
        try {
            out.write(hashed);
            out.write(HASH);
            out.write(ascii(hash));
            out.write(END);
            out.write('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new ChainLine(sequence, before.hash, hash);
    }

    /**
     * Reads a line without its line feed and checks its hash.
     *
     * @throws BrokenLineException with the reason, the rest of a sentence that begins with the line
     */
    static ChainLine read(byte[] line, int length) throws BrokenLineException {
        int at = expect(line, length, 0, SEQUENCE);
        int digits = at;
        long sequence = 0;
        while (digits < length && digits - at < 18 && line[digits] >= '0' && line[digits] <= '9') {
            sequence = 10 * sequence + line[digits] - '0';
            digits++;
        }
        if (digits == at || line[at] == '0') {
            throw new BrokenLineException("has no sequence number");
        }
        at = expect(line, length, digits, PREVIOUS);
        String previous = hex(line, length, at);
        at = expect(line, length, at + 64, RECORD);
        int end = length - TAIL;
        if (end <= at) {
            throw new BrokenLineException("ends too early");
        }
        int tail = expect(line, length, end, HASH);
        String hash = hex(line, length, tail);
        expect(line, length, tail + 64, END);
        String computed = HexFormat.of().formatHex(digest(ascii(previous), line, end));
        if (!computed.equals(hash)) {
            throw new BrokenLineException("was changed: it has the hash " + hash + ", but its bytes give " + computed);
        }
        return new ChainLine(sequence, previous, hash);
    }

    private static int expect(byte[] line, int length, int at, byte[] expected) throws BrokenLineException {
        if (at + expected.length > length
                || !java.util.Arrays.equals(line, at, at + expected.length, expected, 0, expected.length)) {
            throw new BrokenLineException("is no line of an audit file: expected "
                    + new String(expected, StandardCharsets.US_ASCII) + " at byte " + (at + 1));
        }
        return at + expected.length;
    }

    private static String hex(byte[] line, int length, int at) throws BrokenLineException {
        for (int i = at; i < at + 64; i++) {
            if (i >= length || "0123456789abcdef".indexOf(line[i]) < 0) {
                throw new BrokenLineException("has no hash of 64 hexadecimal digits at byte " + (at + 1));
            }
        }
        return new String(line, at, 64, StandardCharsets.US_ASCII);
    }

    static byte[] digest(byte[] first, byte[] second, int length) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            sha256.update(first);
            sha256.update(second, 0, length);
            return sha256.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AuditException("This JVM has no SHA-256, which every JVM must have.", e);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static void request(JsonGenerator json, AuditRecord record) {
        json.writeStringProperty("type", "request");
        json.writeStringProperty("time", record.time().toString());
        optional(json, "request", record.requestId());
        optional(json, "principal", record.principal());
        optional(json, "tenant", record.tenant());
        optional(json, "model", record.model().name());
        optional(json, "modelDigest", record.model().digest());
        optional(json, "templateHash", record.model().templateHash());
        json.writeObjectPropertyStart("options");
        record.options().forEach((name, value) -> option(json, name, value));
        json.writeEndObject();
        json.writeStringProperty("outcome", record.outcome().name());
        optional(json, "finishReason", record.finishReason());
        optional(json, "error", record.error());
        AuditRecord.Tokens tokens = record.tokens();
        if (tokens != null) {
            json.writeNumberProperty("promptTokens", tokens.prompt());
            json.writeNumberProperty("completionTokens", tokens.completion());
            json.writeNumberProperty("cachedTokens", tokens.cached());
        }
        guards(json, record.guards());
        json.writeArrayPropertyStart("toolCalls");
        record.toolCalls().forEach(name -> json.writeString(whole(name)));
        json.writeEndArray();
        AuditRecord.Spent spent = record.timings();
        if (spent != null) {
            json.writeNumberProperty("queuedMicros", spent.queued().toNanos() / 1000);
            json.writeNumberProperty("prefillMicros", spent.prefill().toNanos() / 1000);
            json.writeNumberProperty("decodeMicros", spent.decode().toNanos() / 1000);
        }
        content(json, "prompt", record.prompt());
        content(json, "answer", record.answer());
    }

    private static void guards(JsonGenerator json, List<AuditRecord.GuardVerdict> guards) {
        json.writeArrayPropertyStart("guards");
        for (AuditRecord.GuardVerdict verdict : guards) {
            json.writeStartObject();
            optional(json, "guard", verdict.guard());
            optional(json, "stage", verdict.stage());
            optional(json, "action", verdict.action());
            optional(json, "reason", verdict.reason());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void option(JsonGenerator json, String name, Object value) {
        switch (value) {
            case Boolean truth -> json.writeBooleanProperty(name, truth);
            case Integer number -> json.writeNumberProperty(name, number);
            case Long number -> json.writeNumberProperty(name, number);
            case Number number -> json.writeNumberProperty(name, number.doubleValue());
            default -> optional(json, name, value.toString());
        }
    }

    private static void content(JsonGenerator json, String name, AuditRecord.@Nullable Content content) {
        if (content != null) {
            json.writeObjectPropertyStart(name);
            json.writeNumberProperty("characters", content.length());
            json.writeStringProperty("hmac", content.hmac());
            optional(json, "text", content.text());
            json.writeEndObject();
        }
    }

    private static void optional(JsonGenerator json, String name, @Nullable String value) {
        if (value != null) {
            json.writeStringProperty(name, whole(value));
        }
    }

    /** Half a surrogate pair, as a cut leaves it, has no form in UTF-8. */
    private static String whole(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }
}
