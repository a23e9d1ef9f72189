package org.bloomery.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ListenersTest {

    @Test
    void whatOneListenerThrowsKeepsNothingFromTheOthers() {
        List<String> heard = new ArrayList<>();
        Listeners listeners = new Listeners();
        listeners.add(new EngineListener() {
            @Override
            public void firstToken(String id) {
                throw new IllegalStateException("broken");
            }

            @Override
            public void stepping() {
                throw new NoClassDefFoundError("missing");
            }
        });
        listeners.add(new EngineListener() {
            @Override
            public void firstToken(String id) {
                heard.add(id);
            }

            @Override
            public void stepping() {
                heard.add("step");
            }
        });

        listeners.firstToken("1");
        listeners.stepping();
        listeners.firstToken("2");

        assertThat(heard).containsExactly("1", "step", "2");
    }

    @Test
    void aListenerMayBeAddedWhileOthersAreTold() {
        List<String> heard = new ArrayList<>();
        Listeners listeners = new Listeners();
        listeners.add(new EngineListener() {
            @Override
            public void firstToken(String id) {
                listeners.add(new EngineListener() {
                    @Override
                    public void firstToken(String later) {
                        heard.add(later);
                    }
                });
            }
        });

        listeners.firstToken("1");
        listeners.firstToken("2");

        assertThat(heard).containsExactly("2");
    }
}
