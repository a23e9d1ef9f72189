package org.bloomery.engine.format;

/** How the bytes of a model file come into memory. */
public enum LoadMode {
    /**
     * Map where others cannot change the file under the process, copy otherwise. Others cannot change it where the file
     * and its folder, symbolic links followed, belong to the user of this process or to root and are writable neither by
     * their group nor by all; on a file system without such permissions, where this process itself can write neither of
     * them.
     */
    AUTO,
    /** Map the file. A file truncated or overwritten while mapped can end the process. */
    MAP,
    /** Read the file once into memory outside the heap. */
    COPY
}
