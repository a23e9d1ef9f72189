/**
 * Another chat model that answers what this process cannot. It stands behind authorisation, audit and guards, in the
 * engine's place: it gets the prompt that the guards have let through, and its answer goes through the output guards. What
 * leaves the process is what an {@link org.bloomery.spring.overflow.OverflowPolicy} lets go; an answer that has begun is
 * never begun again.
 */
@NullMarked
package org.bloomery.spring.overflow;

import org.jspecify.annotations.NullMarked;
