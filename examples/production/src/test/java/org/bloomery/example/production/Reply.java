package org.bloomery.example.production;

import java.net.http.HttpResponse;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a client was told, by either way of asking.
 *
 * @param status of the response
 * @param end the finish reason; {@code error} where a stream's last event is one; empty where there is no last word
 * @param tokens of the answer
 * @param text of the answer, escaped as in JSON; of a refusal, its whole body
 * @param retryAfter the header, empty where there is none
 */
record Reply(int status, String end, int tokens, String text, String retryAfter) {

    private static final Pattern TEXT = Pattern.compile("\"text\":\"((?:[^\"\\\\]|\\\\.)*+)\"");
    private static final Pattern END = Pattern.compile("\"finishReason\":\"(\\w+)\",.*\"completionTokens\":(\\d+)}");
    private static final Pattern LAST_EVENT = Pattern.compile("event:(\\w+)\ndata:(.*)\\s*\\z");

    static Reply of(HttpResponse<String> response) {
        String body = response.body();
        String retryAfter = response.headers().firstValue("Retry-After").orElse("");
        if (response.statusCode() != 200) {
            return new Reply(response.statusCode(), "", 0, body, retryAfter);
        }
        String text = TEXT.matcher(body).results().map(piece -> piece.group(1)).collect(Collectors.joining());
        Matcher event = LAST_EVENT.matcher(body);
        if (body.startsWith("event:") && (!event.find() || event.group(1).equals("delta"))) {
            return new Reply(200, "", 0, text, retryAfter);
        }
        Matcher end = END.matcher(body);
        return end.find()
                ? new Reply(200, end.group(1), Integer.parseInt(end.group(2)), text, retryAfter)
                : new Reply(200, "error", 0, text, retryAfter);
    }

    /** The answer ended by itself. */
    boolean whole() {
        return status == 200 && (end.equals("STOP") || end.equals("LENGTH"));
    }

    /** Turned away with a word when to come back. */
    boolean refused() {
        return (status == 429 || status == 503) && retryAfter.matches("[1-9]\\d*");
    }
}
