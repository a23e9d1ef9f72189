package org.bloomery.example.chat;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SmokeTest {

    @Test
    void applicationClassIsThere() {
        assertThat(ChatApplication.class).isNotNull();
    }
}
