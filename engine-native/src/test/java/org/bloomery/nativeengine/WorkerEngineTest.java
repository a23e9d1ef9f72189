package org.bloomery.nativeengine;

import org.bloomery.engine.worker.WorkerEngineContract;
import org.junit.jupiter.api.BeforeAll;

/** An engine whose llama.cpp runs in a child JVM. */
class WorkerEngineTest extends WorkerEngineContract {

    @BeforeAll
    static void requireNatives() {
        Natives.require();
    }

    @Override
    protected String backend() {
        return "native";
    }
}
