package org.bloomery.engine.grammar;

import org.jspecify.annotations.Nullable;

/** What {@code format} of JSON Schema asks of a string, as regular expressions for the whole of it. */
final class Formats {

    private static final String LEAP_YEAR =
            "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
    private static final String DATE = "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
            + "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|" + LEAP_YEAR + "-02-29)";
    private static final String TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?";
    private static final String BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final String IPV4 = BYTE + "(?:\\." + BYTE + "){3}";
    private static final String LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?";
    private static final String HOST = LABEL + "(?:\\." + LABEL + "){0,6}";
    private static final String DURATION_TIME =
            "T(?:[0-9]{1,6}H(?:[0-9]{1,6}M)?(?:[0-9]{1,6}S)?" + "|[0-9]{1,6}M(?:[0-9]{1,6}S)?|[0-9]{1,6}S)";

    private Formats() {}

    /** A format's expression, or null where it only annotates. */
    static @Nullable String pattern(String format) {
        return switch (format) {
            case "date" -> DATE;
            // In UTC, so that every date type reads it
            case "date-time" -> DATE + "T" + TIME + "Z";
            // Without an offset, as LocalTime has it
            case "time" -> TIME;
            case "duration" ->
                "P(?:[0-9]{1,6}D(?:" + DURATION_TIME + ")?|" + DURATION_TIME + "|[0-9]{1,6}W"
                        + "|[0-9]{1,6}M(?:[0-9]{1,6}D)?|[0-9]{1,6}Y(?:[0-9]{1,6}M(?:[0-9]{1,6}D)?)?)";
            case "uuid" -> "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
            case "email", "idn-email" ->
                "[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,16})?@" + LABEL + "(?:\\." + LABEL
                        + "){0,3}\\.[A-Za-z]{2,12}";
            case "ipv4" -> IPV4;
            case "ipv6" ->
                "(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}"
                        + "|(?:[0-9a-fA-F]{1,4}:){1,7}:|:(?::[0-9a-fA-F]{1,4}){1,7}|::";
            case "hostname", "idn-hostname" -> HOST;
            case "uri", "iri" ->
                "[a-z][a-z0-9+.-]{0,15}://" + HOST + "(?::[1-9][0-9]{0,3})?(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]"
                        + "|%[0-9A-Fa-f]{2})*)?(?:\\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
                        + "(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?";
            case "uri-reference", "iri-reference" -> "(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-Fa-f]{2})+";
            default -> null;
        };
    }
}
