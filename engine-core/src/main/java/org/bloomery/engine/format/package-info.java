/**
 * Model files: GGUF reading and writing, with every limit and check that a foreign file needs.
 *
 * <h2>A GGUF file</h2>
 *
 * All numbers are little-endian; a string is its length in bytes (uint64) and so many bytes of UTF-8.
 *
 * <pre>
 * magic            4 bytes   'GGUF'
 * version          uint32    2 or 3 (they differ in nothing that a little-endian file shows)
 * tensor count     uint64
 * key count        uint64
 * keys, each:      string    name
 *                  uint32    value type: 0 uint8, 1 int8, 2 uint16, 3 int16, 4 uint32, 5 int32, 6 float32, 7 bool,
 *                            8 string, 9 array, 10 uint64, 11 int64, 12 float64
 *                  value     an array is its element type (uint32), its length (uint64) and its elements
 * tensors, each:   string    name
 *                  uint32    number of dimensions
 *                  uint64 …  dimensions, the length of a row first
 *                  uint32    element type, see {@link org.bloomery.engine.format.TensorType}
 *                  uint64    where its data begins, counted from the data section
 * padding                    to the alignment: key general.alignment (uint32), or 32
 * data section               the tensors' data in their order, each padded to the alignment
 * </pre>
 *
 * A model may be split into files named {@code PREFIX-00001-of-00003.gguf} with keys {@code split.no} (from 0),
 * {@code split.count} and {@code split.tensors.count}; the first holds all other keys, each the data of its tensors. Source:
 * ggml's {@code gguf.cpp} and {@code gguf.md}, and {@code llama_model_loader} for split models.
 *
 * <h2>What is refused</h2>
 *
 * The header is read and checked whole before a byte of data is mapped or copied. Each count is checked before what it
 * counts is read, in the order count, dimensions, type, bytes, offset, length of the file; nothing is allocated for bytes
 * that the file does not have; time and memory grow with the file's size alone.
 *
 * <ul>
 *   <li>keys: at most 65,536, each name 1 to 65,535 bytes of UTF-8, none twice
 *   <li>values: strings up to 1 MiB (chat templates up to 4 MiB), arrays up to 8,388,608 elements, no arrays of arrays,
 *       booleans 0 or 1
 *   <li>tensors: at most 65,536, each name 1 to 63 bytes of UTF-8, none twice; 1 to 4 dimensions of at least 1; rows of whole
 *       blocks; sizes that fit into 63 bits
 *   <li>data: the alignment a power of two of 8 to 1,048,576; each tensor right behind the one before it, as ggml demands, so
 *       that none overlaps another; all of it inside the file and nothing but padding behind it
 *   <li>the header: at most 256 MiB; a split model: at most 1,000 parts, which agree with each other
 * </ul>
 */
@NullMarked
package org.bloomery.engine.format;

import org.jspecify.annotations.NullMarked;
