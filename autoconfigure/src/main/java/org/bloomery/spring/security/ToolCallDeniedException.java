package org.bloomery.spring.security;

import org.bloomery.engine.EngineException;

/** The caller may not use a tool that the answer calls. */
public final class ToolCallDeniedException extends EngineException {

    ToolCallDeniedException(String tool) {
        super("The answer calls the tool '" + tool
                + "', which the caller may not use; offer only tools that this caller may use.");
    }
}
