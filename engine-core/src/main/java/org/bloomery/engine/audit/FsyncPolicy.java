package org.bloomery.engine.audit;

/** When an audit file's bytes are forced to the disk. */
public enum FsyncPolicy {
    /** Before a record is acknowledged: it outlives a power failure. Records that come together share one force. */
    ALWAYS,
    /** Once a second: it outlives the process, and a power failure costs the last second. */
    INTERVAL,
    /** When the operating system likes: it outlives the process only. */
    NEVER
}
