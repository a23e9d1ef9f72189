/**
 * Keys and values of past tokens: pages of native memory, taken when a sequence grows into them and given back when it
 * shrinks. The memory behind them never leaves this package; readers get blocks of floats.
 */
@NullMarked
package org.bloomery.javaengine.cache;

import org.jspecify.annotations.NullMarked;
