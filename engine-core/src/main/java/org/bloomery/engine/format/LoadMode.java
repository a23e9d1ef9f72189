package org.bloomery.engine.format;

/** How the bytes of a model file come into memory. */
public enum LoadMode {
    /**
     * Map where the file and its folder are not writable by others and the file cannot change under the process; copy
     * otherwise.
     */
    AUTO,
    /** Map the file. A file truncated while mapped can end the process. */
    MAP,
    /** Read the file into memory once. */
    COPY
}
