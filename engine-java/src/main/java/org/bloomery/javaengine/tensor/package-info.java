/**
 * Weights as matrices that know how to multiply, and the threads and scratch memory that a multiplication uses. Memory
 * segments of weights end here: the layers above see floats only.
 */
@NullMarked
package org.bloomery.javaengine.tensor;

import org.jspecify.annotations.NullMarked;
