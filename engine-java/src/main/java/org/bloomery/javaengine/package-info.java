/**
 * The Java backend: a model file in, logits out, all arithmetic in Java.
 */
@NullMarked
package org.bloomery.javaengine;

import org.jspecify.annotations.NullMarked;
