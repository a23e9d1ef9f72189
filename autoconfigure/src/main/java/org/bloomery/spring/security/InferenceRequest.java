package org.bloomery.spring.security;

import java.util.List;

/**
 * What somebody wants to do, for an {@code AuthorizationManager<InferenceRequest>} to decide on. It has no text.
 *
 * @param model the model's name
 * @param operation what is asked of it: {@code chat}
 * @param tools names of the tools that the model may call
 * @param principal who asks
 */
public record InferenceRequest(String model, String operation, List<String> tools, String principal) {

    /** The operation of a chat model. */
    public static final String CHAT = "chat";

    public InferenceRequest {
        tools = List.copyOf(tools);
    }
}
