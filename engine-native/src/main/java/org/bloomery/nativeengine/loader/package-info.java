/** Finds llama.cpp's libraries: in a configured folder, in a natives artifact on the class path, on the system. */
@NullMarked
package org.bloomery.nativeengine.loader;

import org.jspecify.annotations.NullMarked;
