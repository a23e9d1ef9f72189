/**
 * The part of llama.cpp's C API that this module uses, as typed Java: the only package that holds method handles. Version
 * and defaults of a library are compared with what this package knows when it is loaded.
 */
@NullMarked
package org.bloomery.nativeengine.binding;

import org.jspecify.annotations.NullMarked;
