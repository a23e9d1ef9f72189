/**
 * Whether there is room for a request: who asks, how much each tenant may use, and whose turn it is. The engine's queue
 * itself is in {@link org.bloomery.engine.Engine}.
 */
@NullMarked
package org.bloomery.spring.admission;

import org.jspecify.annotations.NullMarked;
