package org.bloomery.starter;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.nativeengine.NativeBackendProvider;
import org.bloomery.spring.chat.ChatClientContract;
import org.junit.jupiter.api.BeforeAll;

/** The contract of chat clients on the native backend. */
class NativeChatClientTest extends ChatClientContract {

    @Override
    protected String backend() {
        return "native";
    }

    @BeforeAll
    @Override
    protected void open() {
        Availability libraries = new NativeBackendProvider().probe(DeviceOptions.DEFAULT);
        assumeTrue(libraries instanceof Availability.Available, () -> "llama.cpp is not here: " + libraries.reason());
        super.open();
    }
}
