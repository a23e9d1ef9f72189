package org.bloomery.spring.chat;

import io.micrometer.common.KeyValues;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;

/** Spring AI's convention without what may be text of an application: its stop strings. */
final class ContentFreeConvention extends DefaultChatModelObservationConvention {

    @Override
    protected KeyValues requestStopSequences(KeyValues keyValues, ChatModelObservationContext context) {
        return keyValues;
    }
}
