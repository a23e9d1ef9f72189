package org.bloomery.spring.test;

import static org.assertj.core.api.Assertions.assertThat;

import org.bloomery.engine.Engine;
import org.bloomery.spring.test.Application.Assistant;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.core.env.Environment;

@InferenceTest(model = InferenceTest.Model.DEMO, properties = "bloomery.chat.max-tokens=40")
class DemoModelTest {

    @Autowired
    private Assistant assistant;

    @Autowired
    private Engine engine;

    @Autowired
    private Environment environment;

    @Test
    void demoModelAnswersTheSameEachTime() {
        String first = assistant.answer("What is the capital of Nepal?");

        assertThat(first).contains("Kathmandu");
        assertThat(assistant.answer("What is the capital of Nepal?")).isEqualTo(first);
        assertThat(engine.model().quantization()).isEqualTo("Q8_0");
    }

    @Test
    void propertiesOfTheTestWin() {
        assertThat(environment.getProperty("bloomery.chat.max-tokens")).isEqualTo("40");
        assertThat(environment.getProperty("bloomery.chat.temperature")).isEqualTo("0");
    }
}
