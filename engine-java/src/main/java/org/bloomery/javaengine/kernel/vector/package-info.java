/**
 * Kernels on the Vector API, in floats: weights become floats a few rows at a time, and products are sums of
 * multiply-adds in vectors as wide as {@link org.bloomery.javaengine.kernel.vector.Lanes} says. The only package that
 * imports {@code jdk.incubator.vector}; its classes must not be touched before that module is known to be there.
 */
@NullMarked
package org.bloomery.javaengine.kernel.vector;

import org.jspecify.annotations.NullMarked;
