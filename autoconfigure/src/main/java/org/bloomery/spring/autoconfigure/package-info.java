/**
 * The wiring: {@code bloomery.*} properties to an engine and a chat model, and failures to advice.
 */
@NullMarked
package org.bloomery.spring.autoconfigure;

import org.jspecify.annotations.NullMarked;
