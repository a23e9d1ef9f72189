/** An engine's figures as Micrometer meters; needs neither Boot nor a chat model. */
@NullMarked
package org.bloomery.spring.metrics;

import org.jspecify.annotations.NullMarked;
