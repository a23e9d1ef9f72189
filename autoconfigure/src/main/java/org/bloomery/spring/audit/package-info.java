/**
 * A record of every request: an interceptor that makes it, and sinks that keep it.
 */
@NullMarked
package org.bloomery.spring.audit;

import org.jspecify.annotations.NullMarked;
