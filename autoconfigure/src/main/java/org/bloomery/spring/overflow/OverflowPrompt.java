package org.bloomery.spring.overflow;

import java.util.ArrayList;
import java.util.List;
import org.bloomery.engine.ChatRequest;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.GenerationRequest;
import org.bloomery.engine.chat.ChatMessage;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.chat.ToolSpec;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;

/**
 * An engine's request as another chat model takes it: the conversation, and of the options what every model knows. The
 * model's name and everything else are the other model's own.
 */
final class OverflowPrompt {

    /** A tool that is offered; whoever asked runs it. */
    private record OfferedTool(ToolDefinition definition) implements ToolCallback {
        @Override
        public ToolDefinition getToolDefinition() {
            return definition;
        }

        @Override
        public String call(String arguments) {
            throw new UnsupportedOperationException("Tool '" + definition.name() + "' is called by who offered it.");
        }
    }

    private OverflowPrompt() {}

    /** The prompt, or null where the request asks for what cannot be asked of another model. */
    static @Nullable Prompt of(GenerationRequest request, ChatOptions theirs) {
        if (!(request instanceof ChatRequest chat)) {
            return null;
        }
        GenerationOptions options = chat.options();
        ToolChoice.Mode choice = chat.toolChoice().mode();
        if (!chat.tools().isEmpty() && (choice == ToolChoice.Mode.REQUIRED || choice == ToolChoice.Mode.NAMED)) {
            return null;
        }
        DefaultToolCallingChatOptions.Builder<?> portable = DefaultToolCallingChatOptions.builder();
        portable.temperature(options.sampling().temperature());
        portable.maxTokens(options.maxTokens());
        if (!options.stop().isEmpty()) {
            portable.stopSequences(options.stop());
        }
        if (choice != ToolChoice.Mode.NONE && !chat.tools().isEmpty()) {
            portable.toolCallbacks(
                    chat.tools().stream().map(OverflowPrompt::offered).toList());
        }
        ChatOptions.Builder<?> builder = theirs.mutate().combineWith(portable);
        if (options.constraint() != null) {
            if (!(options.constraint() instanceof Constraint.JsonSchema json)
                    || !(builder instanceof StructuredOutputChatOptions.Builder<?> structured)) {
                return null;
            }
            structured.outputSchema(json.schema());
        }
        return new Prompt(messages(chat.messages()), builder.build());
    }

    private static ToolCallback offered(ToolSpec tool) {
        return new OfferedTool(ToolDefinition.builder()
                .name(tool.name())
                .description(tool.description())
                .inputSchema(tool.parameters())
                .build());
    }

    private static List<Message> messages(List<ChatMessage> turns) {
        List<Message> messages = new ArrayList<>();
        List<ToolResponseMessage.ToolResponse> results = new ArrayList<>();
        for (ChatMessage turn : turns) {
            if (turn.role() == ChatMessage.Role.TOOL) {
                results.add(new ToolResponseMessage.ToolResponse(
                        String.valueOf(turn.toolCallId()), String.valueOf(turn.toolName()), turn.content()));
                continue;
            }
            addResults(messages, results);
            messages.add(
                    switch (turn.role()) {
                        case SYSTEM -> new SystemMessage(turn.content());
                        case USER, TOOL -> new UserMessage(turn.content());
                        case ASSISTANT ->
                            AssistantMessage.builder()
                                    .content(turn.content())
                                    .toolCalls(turn.toolCalls().stream()
                                            .map(call -> new AssistantMessage.ToolCall(
                                                    call.id(), "function", call.name(), call.arguments()))
                                            .toList())
                                    .build();
                    });
        }
        addResults(messages, results);
        return messages;
    }

    private static void addResults(List<Message> messages, List<ToolResponseMessage.ToolResponse> results) {
        if (!results.isEmpty()) {
            messages.add(ToolResponseMessage.builder()
                    .responses(List.copyOf(results))
                    .build());
            results.clear();
        }
    }
}
