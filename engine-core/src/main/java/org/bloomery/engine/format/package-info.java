/**
 * Model files: GGUF reading and writing, with every limit and check that a foreign file needs.
 */
@NullMarked
package org.bloomery.engine.format;

import org.jspecify.annotations.NullMarked;
