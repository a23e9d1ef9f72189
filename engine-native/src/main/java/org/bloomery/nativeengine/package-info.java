/** llama.cpp as a backend: the provider, the backend, what a model must be like to reach native code, and its placement. */
@NullMarked
package org.bloomery.nativeengine;

import org.jspecify.annotations.NullMarked;
