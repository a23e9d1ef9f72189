package org.bloomery.javaengine.quant;

class F32Test extends QuantTypeContract {

    F32Test() {
        super(new F32(), 0);
    }
}
