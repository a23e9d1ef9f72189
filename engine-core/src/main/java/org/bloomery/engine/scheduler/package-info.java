/**
 * Many sequences at once over one backend: batches, queue, deadlines, cancellation, prefix reuse.
 */
@NullMarked
package org.bloomery.engine.scheduler;

import org.jspecify.annotations.NullMarked;
