package org.bloomery.javaengine;

import org.bloomery.engine.worker.WorkerEngineContract;

/** An engine whose Java backend runs in a child JVM. */
class WorkerEngineTest extends WorkerEngineContract {

    @Override
    protected String backend() {
        return "java";
    }
}
