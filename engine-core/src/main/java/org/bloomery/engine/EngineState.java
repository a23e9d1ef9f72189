package org.bloomery.engine;

/** Whether an engine can answer. */
public enum EngineState {
    /** The model is being loaded; requests are refused. */
    LOADING,
    /** Requests are taken and run. */
    READY,
    /** The backend was lost and is being brought back. Requests are taken and wait in the queue. */
    RECOVERING,
    /** The engine was closed, or its backend could not be brought back; requests are refused. */
    CLOSED
}
