/** Whether the engine can answer: a health indicator and a watchdog, usable without auto-configuration. */
@NullMarked
package org.bloomery.spring.health;

import org.jspecify.annotations.NullMarked;
