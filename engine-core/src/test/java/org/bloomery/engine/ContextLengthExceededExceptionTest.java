package org.bloomery.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ContextLengthExceededExceptionTest {

    @Test
    void namesBothNumbers() {
        assertThat(new ContextLengthExceededException(900, 200, 1024)).hasMessageContainingAll("900", "200", "1024");
    }
}
