package org.bloomery.javaengine.kernel;

class ScalarKernelsTest extends KernelContract {

    ScalarKernelsTest() {
        super(KernelLookup.choose("scalar"));
    }
}
