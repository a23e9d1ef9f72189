/**
 * What an engine does, as events of Java's flight recorder: {@code org.bloomery.ModelLoad}, {@code Request}, {@code
 * Prefill} and {@code Step}. Without a recording they cost next to nothing.
 */
@NullMarked
package org.bloomery.engine.telemetry;

import org.jspecify.annotations.NullMarked;
