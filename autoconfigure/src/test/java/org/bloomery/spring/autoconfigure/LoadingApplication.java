package org.bloomery.spring.autoconfigure;

import org.bloomery.engine.Engine;
import org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;

/** The main class of a process that a test stops while it loads its model. Says when the model is there. */
@SpringBootConfiguration
@ImportAutoConfiguration({
    ApplicationAvailabilityAutoConfiguration.class,
    BloomeryChatAutoConfiguration.class,
    BloomeryHealthAutoConfiguration.class,
    ToolCallingAutoConfiguration.class
})
public class LoadingApplication {

    static final String LOADED = "The model is loaded.";

    public static void main(String[] args) {
        SpringApplication application = new SpringApplication(LoadingApplication.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        application.setKeepAlive(true);
        application.run(args).getBean(Engine.class).whenLoaded(() -> System.out.println(LOADED));
    }
}
