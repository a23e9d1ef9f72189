package org.bloomery.engine.format;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Typed view of a model file's key/value pairs. A getter whose key holds another type throws
 * {@link ModelFormatException} naming key, found and expected type. Integers of every width are read as {@code long}
 * where the value fits; floats of both widths as {@code double}. Bytes of a string that are no UTF-8 are read as U+FFFD.
 * Arrays are decoded at each call: keep the result. The metadata stays readable when its file is closed.
 */
public interface Metadata {

    Set<String> keys();

    boolean contains(String key);

    /**
     * The value as {@code String, Long, Double, Boolean} or an unmodifiable {@code List} of one of them; null where absent.
     * An unsigned integer above {@link Long#MAX_VALUE} is a {@link java.math.BigInteger}, which no typed getter reads.
     */
    @Nullable
    Object value(String key);

    /** @throws ModelFormatException if absent or no string */
    String string(String key);

    String string(String key, String fallback);

    /** @throws ModelFormatException if absent, no integer, or outside the range of {@code int} */
    int int32(String key);

    int int32(String key, int fallback);

    /** @throws ModelFormatException if absent or no integer */
    long int64(String key);

    long int64(String key, long fallback);

    /** @throws ModelFormatException if absent or no float, or not finite */
    double float64(String key);

    double float64(String key, double fallback);

    boolean bool(String key, boolean fallback);

    /** @throws ModelFormatException if absent or no array of strings */
    List<String> strings(String key);

    List<String> strings(String key, List<String> fallback);

    /** @throws ModelFormatException if absent or no array of integers that fit */
    int[] int32s(String key);

    int[] int32s(String key, int[] fallback);

    /** @throws ModelFormatException if absent or no array of floats */
    float[] float32s(String key);

    float[] float32s(String key, float[] fallback);
}
