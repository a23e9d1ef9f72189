/** Owners of what native code allocates: the loaded library with its devices, a model, a context. */
@NullMarked
package org.bloomery.nativeengine.handle;

import org.jspecify.annotations.NullMarked;
