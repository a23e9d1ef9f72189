package org.bloomery.engine.format;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The types a GGUF value may have: id in the file and bytes of one value. Mirrors ggml's {@code enum gguf_type}. */
enum ValueType {
    UINT8(0, 1),
    INT8(1, 1),
    UINT16(2, 2),
    INT16(3, 2),
    UINT32(4, 4),
    INT32(5, 4),
    FLOAT32(6, 4),
    BOOL(7, 1),
    /** A length (uint64) and so many bytes of UTF-8. */
    STRING(8, 0),
    /** An element type (uint32), a count (uint64) and so many elements. */
    ARRAY(9, 0),
    UINT64(10, 8),
    INT64(11, 8),
    FLOAT64(12, 8);

    private static final List<ValueType> ALL = List.of(values());

    private final int id;
    private final int byteSize;

    ValueType(int id, int byteSize) {
        this.id = id;
        this.byteSize = byteSize;
    }

    /** The type with this id, or null where there is none. */
    static @Nullable ValueType ofId(int id) {
        for (ValueType type : ALL) {
            if (type.id == id) {
                return type;
            }
        }
        return null;
    }

    int id() {
        return id;
    }

    /** Bytes of one value; 0 for a string and an array, whose size depends on their content. */
    int byteSize() {
        return byteSize;
    }

    boolean isInteger() {
        return switch (this) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
            case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
        };
    }

    boolean isFloat() {
        return this == FLOAT32 || this == FLOAT64;
    }

    /** The name that the format's description uses, such as {@code uint32}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
