package org.bloomery.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {

    private static String run(List<String> stops, String... pieces) {
        StopStrings strings = new StopStrings(stops);
        StringBuilder out = new StringBuilder();
        for (String piece : pieces) {
            out.append(strings.accept(piece));
        }
        return out.append(strings.finish()).toString();
    }

    @Test
    void cutsAtTheFirstStopString() {
        assertThat(run(List.of("END", "x"), "abc END def")).isEqualTo("abc ");
        assertThat(run(List.of("END"), "abc E", "N", "D def")).isEqualTo("abc ");
    }

    @Test
    void givesBackWhatOnlyLookedLikeAStopString() {
        assertThat(run(List.of("END"), "E", "N", "x", " EN")).isEqualTo("ENx EN");
    }

    @Test
    void emitsWhatCannotBecomeAStopStringAtOnce() {
        StopStrings strings = new StopStrings(List.of("\n\nUser:"));
        assertThat(strings.accept("Hello\n")).isEqualTo("Hello");
        assertThat(strings.accept("there")).isEqualTo("\nthere");
        assertThat(strings.found()).isFalse();
    }

    @Test
    void anyCutOfTheTextGivesTheSame() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 5000; round++) {
            String text = letters(random, random.nextInt(30));
            List<String> stops =
                    List.of(letters(random, 1 + random.nextInt(4)), letters(random, 1 + random.nextInt(4)));
            int cut = stops.stream()
                    .mapToInt(text::indexOf)
                    .filter(at -> at >= 0)
                    .min()
                    .orElse(text.length());
            String[] pieces = text.split("(?<=[ab]{" + (1 + random.nextInt(3)) + "})");
            // Piece by piece, the earliest stop string to be complete wins; whole, the earliest to begin.
            String whole = run(stops, text);
            assertThat(whole).as("seed %d", seed).isEqualTo(text.substring(0, cut));
            String pieced = run(stops, pieces);
            assertThat(stops).as("seed %d", seed).noneMatch(pieced::contains);
            assertThat(text).startsWith(pieced);
        }
    }

    private static String letters(Random random, int length) {
        return random.ints(length, 0, 3)
                .collect(StringBuilder::new, (b, i) -> b.append("abc".charAt(i)), StringBuilder::append)
                .toString();
    }
}
