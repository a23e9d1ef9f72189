/**
 * Where models come from: what a user writes in the options becomes a local file that can be opened.
 */
@NullMarked
package org.bloomery.engine.store;

import org.jspecify.annotations.NullMarked;
