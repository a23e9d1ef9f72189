package org.bloomery.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.bloomery.engine.grammar.TokenMask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenMaskBenchmarkTest {

    /** The tokens that each place allows, in a vocabulary of 5,000: bytes are tokens 1 to 256. */
    @ParameterizedTest
    @CsvSource({
        "begin, '{', 'a'",
        "string, 'a', '\n'",
        "pattern, 'A', 'a'",
        "limited, 'é', '\n'",
        "number, '.', 'a'",
        "nested, '\"', '\n'"
    })
    void measuresTheMaskOfItsPlace(String place, String allowed, String forbidden) {
        TokenMaskBenchmark benchmark = new TokenMaskBenchmark();
        benchmark.place = place;
        benchmark.vocabSize = 5_000;
        benchmark.prepare();

        TokenMask warm = benchmark.warm();
        TokenMask cold = benchmark.cold();

        assertThat(warm.count()).isEqualTo(cold.count()).isPositive();
        for (int token = 0; token < 5_000; token++) {
            assertThat(warm.allows(token)).isEqualTo(cold.allows(token));
        }
        assertThat(warm.allows(1 + (allowed.getBytes(StandardCharsets.UTF_8)[0] & 0xFF)))
                .isTrue();
        assertThat(warm.allows(1 + forbidden.charAt(0))).isFalse();
        assertThat(benchmark.compile().states()).isPositive();
    }

    @Test
    void measuresTheMaskOfTextBesideCalls() {
        TokenMaskBenchmark benchmark = new TokenMaskBenchmark();
        benchmark.place = "free";
        benchmark.vocabSize = 5_000;
        benchmark.prepare();

        TokenMask warm = benchmark.warm();

        assertThat(warm.count()).isEqualTo(benchmark.cold().count());
        assertThat(warm.allows(1 + 'a')).isTrue();
        assertThat(warm.allows(1 + '<')).isTrue();
    }
}
