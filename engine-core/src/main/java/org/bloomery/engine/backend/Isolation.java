package org.bloomery.engine.backend;

/** Which process a backend computes in. */
public enum Isolation {
    /** In this one: fastest to start. A crash of native code ends the process. */
    IN_PROCESS,
    /** In a child JVM: a crash of native code ends the child, which is started again. */
    WORKER
}
