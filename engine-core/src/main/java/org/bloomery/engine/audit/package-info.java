/**
 * The audit trail: one record a request, appended to a file in which every line is chained to the one before it.
 *
 * <p>A line is one JSON object, in UTF-8, ended by a line feed:
 *
 * <pre>{@code {"seq":7,"prev":"<hash of line 6>","record":{…},"hash":"<hash of line 7>"}}</pre>
 *
 * <p>{@code seq} counts from 1. {@code hash} is the SHA-256, in lower-case hexadecimal, of the 64 characters of {@code prev}
 * followed by the line's bytes up to, and without, {@code ,"hash"}. The {@code prev} of line 1 is 64 zeros. The bytes are
 * hashed as they stand, so there is no second way to write a line. Whoever can rewrite the whole file can also compute a
 * new chain: note the last hash somewhere else from time to time, and have it looked for.
 */
@NullMarked
package org.bloomery.engine.audit;

import org.jspecify.annotations.NullMarked;
