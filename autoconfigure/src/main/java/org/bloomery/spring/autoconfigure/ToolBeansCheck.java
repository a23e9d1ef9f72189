package org.bloomery.spring.autoconfigure;

import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.chat.ToolSpec;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.ToolCallbackProvider;
import org.springframework.ai.tool.definition.ToolDefinition;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextRefreshedEvent;

/**
 * Says at start-up which of the application's tools cannot be offered to the model, instead of at the first request that
 * offers them. Those of Model Context Protocol clients are asked of their servers, so they are checked when they are used.
 */
final class ToolBeansCheck implements ApplicationListener<ContextRefreshedEvent> {

    private static final Log log = LogFactory.getLog(ToolBeansCheck.class);

    private static final String REMOTE_TOOLS = "org.springframework.ai.mcp.";

    private final Function<ToolSpec, Optional<String>> check;
    private final Executor whenLoaded;
    private final ApplicationContext context;

    /**
     * @param check what is wrong with a tool
     * @param whenLoaded runs what needs the model once it is loaded
     */
    ToolBeansCheck(Function<ToolSpec, Optional<String>> check, Executor whenLoaded, ApplicationContext context) {
        this.check = check;
        this.whenLoaded = whenLoaded;
        this.context = context;
    }

    @Override
    public void onApplicationEvent(ContextRefreshedEvent event) {
        // A child context's event comes by as well
        if (!event.getApplicationContext().equals(context)) {
            return;
        }
        whenLoaded.execute(this::checkAll);
    }

    private void checkAll() {
        // Neither prototypes nor lazy beans, which nobody has asked for yet
        context.getBeansOfType(ToolCallback.class, false, false).forEach(this::check);
        context.getBeansOfType(ToolCallbackProvider.class, false, false).forEach(this::checkAll);
    }

    private void checkAll(String bean, ToolCallbackProvider provider) {
        if (provider.getClass().getName().startsWith(REMOTE_TOOLS)) {
            return;
        }
        ToolCallback[] tools;
        try {
            tools = provider.getToolCallbacks();
        } catch (RuntimeException e) {
            log.warn("The tools of bean '" + bean + "' are not checked, since it does not tell them: " + e);
            return;
        }
        for (ToolCallback tool : tools) {
            check(bean, tool);
        }
    }

    private void check(String bean, ToolCallback tool) {
        ToolDefinition definition = tool.getToolDefinition();
        check.apply(new ToolSpec(definition.name(), definition.description(), definition.inputSchema()))
                .ifPresent(wrong ->
                        log.warn("A tool of bean '" + bean + "' is left out of requests that offer it. " + wrong));
    }
}
