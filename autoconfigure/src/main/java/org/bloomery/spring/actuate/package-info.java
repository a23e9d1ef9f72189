/** The engine for operators: an actuator endpoint, and findings with their remedies. */
@NullMarked
package org.bloomery.spring.actuate;

import org.jspecify.annotations.NullMarked;
