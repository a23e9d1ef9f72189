package org.bloomery.spring.test;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.test.context.ContextConfigurationAttributes;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.ContextCustomizerFactory;
import org.springframework.test.context.MergedContextConfiguration;
import org.springframework.test.context.TestContextAnnotationUtils;
import org.springframework.test.context.support.TestPropertySourceUtils;

/** Puts the model of an {@link InferenceTest} into its application context. */
final class InferenceTestContextCustomizerFactory implements ContextCustomizerFactory {

    @Override
    public @Nullable ContextCustomizer createContextCustomizer(
            Class<?> testClass, List<ContextConfigurationAttributes> configAttributes) {
        InferenceTest test = TestContextAnnotationUtils.findMergedAnnotation(testClass, InferenceTest.class);
        return test == null ? null : new Customizer(test.model());
    }

    /** A record, so that tests with the same model share a context. */
    private record Customizer(InferenceTest.Model model) implements ContextCustomizer {

        private static final String SOURCE = "bloomeryInferenceTest";
        private static final String DEMO_MODEL = "classpath:org/bloomery/spring/test/bloomery-demo-q8_0.gguf";

        @Override
        public void customizeContext(ConfigurableApplicationContext context, MergedContextConfiguration configuration) {
            MutablePropertySources sources = context.getEnvironment().getPropertySources();
            MapPropertySource ours = new MapPropertySource(SOURCE, properties());
            // Over the application's own configuration, under what the test itself says.
            if (sources.contains(TestPropertySourceUtils.INLINED_PROPERTIES_PROPERTY_SOURCE_NAME)) {
                sources.addAfter(TestPropertySourceUtils.INLINED_PROPERTIES_PROPERTY_SOURCE_NAME, ours);
            } else {
                sources.addFirst(ours);
            }
            if (model == InferenceTest.Model.SCRIPTED) {
                RootBeanDefinition bean = new RootBeanDefinition(ScriptedChatModel.class, ScriptedChatModel::new);
                bean.setPrimary(true);
                ((BeanDefinitionRegistry) context.getBeanFactory()).registerBeanDefinition("scriptedChatModel", bean);
            }
        }

        private Map<String, Object> properties() {
            return switch (model) {
                case SCRIPTED -> Map.of(SpringAIModelProperties.CHAT_MODEL, ScriptedChatModel.PROVIDER);
                case DEMO ->
                    Map.of(
                            SpringAIModelProperties.CHAT_MODEL,
                            "bloomery",
                            "bloomery.chat.model",
                            DEMO_MODEL,
                            "bloomery.chat.temperature",
                            "0");
            };
        }
    }
}
