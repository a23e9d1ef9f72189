package org.bloomery.spring.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bloomery.engine.Completion;
import org.bloomery.engine.EngineException;
import org.bloomery.engine.FinishReason;
import org.bloomery.engine.GenerationSink;
import org.junit.jupiter.api.Test;

class ForwardingSinkTest {

    private static final Completion HELLO = new Completion(
            "1", "Hello", null, List.of(), FinishReason.STOP, ScriptedEngine.USAGE, ScriptedEngine.TIMINGS, List.of());

    private static final class Deferred extends DeferredSink {
        Deferred(GenerationSink sink) {
            super(sink);
        }
    }

    private static List<Method> methods() {
        return Arrays.stream(GenerationSink.class.getMethods())
                .filter(method -> !method.isSynthetic())
                .toList();
    }

    private static Object argument(Class<?> type) {
        return type == String.class ? "Hel" : type == Completion.class ? HELLO : new EngineException("broken");
    }

    @Test
    void passesEveryMethodOfASinkOn() throws Exception {
        List<String> heard = new ArrayList<>();
        GenerationSink sink = (GenerationSink) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {GenerationSink.class}, (proxy, method, arguments) -> {
                    heard.add(method.getName());
                    return method.getReturnType() == boolean.class ? false : null;
                });
        assertThat(methods()).hasSizeGreaterThanOrEqualTo(6);
        for (Method method : methods()) {
            assertThat(ForwardingSink.class.getDeclaredMethod(method.getName(), method.getParameterTypes()))
                    .isNotNull();
            heard.clear();
            Object result = method.invoke(
                    new Deferred(sink),
                    Arrays.stream(method.getParameterTypes())
                            .map(ForwardingSinkTest::argument)
                            .toArray());
            assertThat(heard).containsExactly(method.getName());
            assertThat(result).isNotEqualTo(true);
        }
    }

    @Test
    void aDeferredGenerationEndsAlsoWhereItsSinkThrows() {
        GenerationSink throwing = new GenerationSink() {
            @Override
            public void onComplete(Completion completion) {
                throw new IllegalStateException("sink");
            }

            @Override
            public void onError(RuntimeException error) {
                throw new IllegalStateException("sink");
            }
        };
        Deferred answered = new Deferred(throwing);
        assertThatThrownBy(() -> answered.onComplete(HELLO)).hasMessage("sink");
        assertThat(answered.generation().await()).isSameAs(HELLO);

        Deferred failed = new Deferred(throwing);
        assertThatThrownBy(() -> failed.onError(new EngineException("broken"))).hasMessage("sink");
        assertThatThrownBy(failed.generation()::await).hasMessage("broken");
    }
}
