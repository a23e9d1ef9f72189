/**
 * The architectures: each names its hyper-parameters, its weights with their shapes, and the blocks they make up. A
 * model is checked completely, every problem named, before anything of it is loaded.
 */
@NullMarked
package org.bloomery.javaengine.arch;

import org.jspecify.annotations.NullMarked;
