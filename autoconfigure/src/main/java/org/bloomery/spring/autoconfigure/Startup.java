package org.bloomery.spring.autoconfigure;

/** When a model is loaded. */
public enum Startup {
    /** Before the application has started. */
    BLOCKING,
    /** While it starts and after: requests are refused, and readiness is down, until the model is loaded. */
    BACKGROUND
}
