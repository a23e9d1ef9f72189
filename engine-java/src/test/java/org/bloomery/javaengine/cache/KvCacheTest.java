package org.bloomery.javaengine.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KvCacheTest {

    private static final CacheShape SHAPE = new CacheShape(2, 3, 6);

    @ParameterizedTest
    @EnumSource(CacheType.class)
    void givesBackKeysTransposedAndValuesInRows(CacheType type) {
        try (KvCache cache = new KvCache(SHAPE, type, 2)) {
            float[] keys = random(130 * 6, 1);
            float[] values = random(130 * 6, 2);
            cache.extend(1, 130);
            for (int position = 0; position < 130; position++) {
                cache.put(1, position, 1, 2, keys, values, position * 6);
            }
            KvCache.BlockBuffer buffer = cache.buffer();
            for (int position = 0; position < 130; position++) {
                int block = position / KvCache.BLOCK;
                int slot = position % KvCache.BLOCK;
                cache.loadKeys(1, block, 1, 2, buffer);
                for (int d = 0; d < 6; d++) {
                    assertKept(type, buffer.floats()[d * KvCache.BLOCK + slot], keys[position * 6 + d]);
                }
                cache.loadValues(1, block, 1, 2, slot + 1, buffer);
                for (int d = 0; d < 6; d++) {
                    assertKept(type, buffer.floats()[slot * 6 + d], values[position * 6 + d]);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(CacheType.class)
    void headsLayersAndSequencesKeepApart(CacheType type) {
        try (KvCache cache = new KvCache(SHAPE, type, 2)) {
            cache.extend(0, 1);
            cache.extend(1, 1);
            float[] vector = new float[6];
            for (int i = 0; i < 12; i++) {
                Arrays.fill(vector, i);
                cache.put(i / 6, 0, i / 3 % 2, i % 3, vector, vector, 0);
            }
            KvCache.BlockBuffer buffer = cache.buffer();
            for (int i = 0; i < 12; i++) {
                cache.loadKeys(i / 6, 0, i / 3 % 2, i % 3, buffer);
                assertKept(type, buffer.floats()[5 * KvCache.BLOCK], i);
                cache.loadValues(i / 6, 0, i / 3 % 2, i % 3, 1, buffer);
                assertKept(type, buffer.floats()[5], i);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(CacheType.class)
    void takesAPageGivenBackBeforeANewOne(CacheType type) {
        try (KvCache cache = new KvCache(SHAPE, type, 2)) {
            for (int round = 0; round < 1000; round++) {
                cache.extend(round % 2, 4 * KvCache.BLOCK);
                cache.truncate(round % 2, round % 3);
                assertThat(cache.length(round % 2)).isEqualTo(round % 3);
                cache.truncate(round % 2, 0);
            }
            assertThat(cache.pagesMade()).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @EnumSource(CacheType.class)
    void copiesAPrefixThatStaysWhenItsSourceChanges(CacheType type) {
        try (KvCache cache = new KvCache(SHAPE, type, 2)) {
            float[] first = random(6, 3);
            cache.extend(0, 70);
            cache.put(0, 69, 0, 0, first, first, 0);
            cache.copyPrefix(0, 1, 70);
            cache.put(0, 69, 0, 0, random(6, 4), random(6, 5), 0);
            cache.truncate(0, 0);
            KvCache.BlockBuffer buffer = cache.buffer();
            cache.loadValues(1, 1, 0, 0, 6, buffer);
            for (int d = 0; d < 6; d++) {
                assertKept(type, buffer.floats()[5 * 6 + d], first[d]);
            }
            assertThat(cache.length(1)).isEqualTo(70);
        }
    }

    @ParameterizedTest
    @EnumSource(CacheType.class)
    void takesNoMoreThanPlanned(CacheType type) {
        try (KvCache cache = new KvCache(SHAPE, type, 3)) {
            for (int sequence = 0; sequence < 3; sequence++) {
                cache.extend(sequence, 100);
            }
            assertThat(cache.pagesMade() * (long) KvCache.BLOCK * 2 * 2 * 3 * type.bytes(1, 6))
                    .isEqualTo(KvCache.bytes(SHAPE, type, 3, 100));
        }
    }

    /** Exactly as the type rounds; whole numbers within half of the largest one's 127th part. */
    private static void assertKept(CacheType type, float found, float value) {
        switch (type) {
            case F32 -> assertThat(found).isEqualTo(value);
            case F16 -> assertThat(found).isEqualTo(Float.float16ToFloat(Float.floatToFloat16(value)));
            case Q8_0 -> assertThat(found).isCloseTo(value, within(0.02f));
        }
    }

    /** More elements than one scale covers, and a last group that is not full. */
    @Test
    void eachGroupOfAHeadHasAScaleOfItsOwn() {
        int dim = 80;
        try (KvCache cache = new KvCache(new CacheShape(1, 1, dim), CacheType.Q8_0, 1)) {
            cache.extend(0, KvCache.BLOCK);
            float[][] heads = new float[KvCache.BLOCK][];
            for (int position = 0; position < KvCache.BLOCK; position++) {
                heads[position] = random(dim, position);
                for (int d = 0; d < dim; d++) {
                    heads[position][d] *= (float) Math.pow(10, d / CacheType.GROUP - 1);
                }
                cache.put(0, position, 0, 0, heads[position], heads[position], 0);
            }
            KvCache.BlockBuffer keys = cache.buffer();
            KvCache.BlockBuffer values = cache.buffer();
            cache.loadKeys(0, 0, 0, 0, keys);
            cache.loadValues(0, 0, 0, 0, KvCache.BLOCK, values);
            for (int position = 0; position < KvCache.BLOCK; position++) {
                for (int d = 0; d < dim; d++) {
                    float error = (float) (0.02 * Math.pow(10, d / CacheType.GROUP - 1));
                    float value = heads[position][d];
                    assertThat(keys.floats()[d * KvCache.BLOCK + position]).isCloseTo(value, within(error));
                    assertThat(values.floats()[position * dim + d]).isCloseTo(value, within(error));
                }
            }
        }
    }

    private static float[] random(int count, long seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
