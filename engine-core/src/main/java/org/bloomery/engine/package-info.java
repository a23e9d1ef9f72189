/**
 * The engine's door: open a model, generate, look at its figures, close it.
 */
@NullMarked
package org.bloomery.engine;

import org.jspecify.annotations.NullMarked;
