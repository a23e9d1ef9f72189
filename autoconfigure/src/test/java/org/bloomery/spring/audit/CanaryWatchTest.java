package org.bloomery.spring.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.commons.logging.LogFactory;
import org.bloomery.engine.EngineException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.mockito.Mockito;

/** The watch is there, and it can fail. */
class CanaryWatchTest {

    private static void seen(Runnable careless, String where) {
        careless.run();
        assertThat(CanaryWatch.findings()).contains(where);
    }

    @Test
    void seesWhatIsLoggedAtEveryLevelAndPrinted() {
        seen(
                () -> LogFactory.getLog("org.bloomery.spring.careless").trace(Canary.in("message")),
                "logger org.bloomery.spring.careless");
        seen(() -> LogFactory.getLog("com.example").debug(Canary.in("message")), "logger com.example");
        seen(
                () -> LogFactory.getLog("com.example").debug("", new EngineException(Canary.in("exception"))),
                "logger com.example (exception)");
        seen(
                () -> System.getLogger("org.bloomery.engine.careless")
                        .log(System.Logger.Level.TRACE, Canary.in("message")),
                "logger org.bloomery.engine.careless");
        seen(() -> System.out.println(Canary.in("print")), "System.out");
        seen(() -> System.err.println(Canary.in("print")), "System.err");
    }

    @Test
    void failsTheTestThatWasCareless() {
        LogFactory.getLog("com.example").debug(Canary.in("message"));
        ExtensionContext context = Mockito.mock();
        assertThatThrownBy(() -> new CanaryWatch().afterEach(context))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("logger com.example");
        new CanaryWatch().afterEach(context);
    }
}
