package org.bloomery.spring.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.core.annotation.AliasFor;

/**
 * A {@link SpringBootTest} whose model needs no file: the application starts as it always does, but in place of its
 * engine there is a {@link ScriptedChatModel}, which the test has injected and tells what to answer. With {@code model =
 * DEMO} the engine is there and loads the demo model.
 *
 * <p>Beans that want an {@code Engine} or a {@code BloomeryChatModel} have none while the model is scripted; nor are there
 * guards, audit and the engine's meters, which stand in front of an engine.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@SpringBootTest
public @interface InferenceTest {

    /** What answers. */
    enum Model {
        /** A {@link ScriptedChatModel}, with an empty script before every test method. */
        SCRIPTED,
        /** The demo model of 4.5 million parameters, on any backend of the class path, at temperature 0. */
        DEMO
    }

    /** What answers. */
    Model model() default Model.SCRIPTED;

    /** As in {@link SpringBootTest}. */
    @AliasFor(annotation = SpringBootTest.class, attribute = "properties")
    String[] properties() default {};

    /** As in {@link SpringBootTest}. */
    @AliasFor(annotation = SpringBootTest.class, attribute = "classes")
    Class<?>[] classes() default {};

    /** As in {@link SpringBootTest}. */
    @AliasFor(annotation = SpringBootTest.class, attribute = "webEnvironment")
    WebEnvironment webEnvironment() default WebEnvironment.MOCK;
}
