package org.bloomery.javaengine.quant;

class F16Test extends QuantTypeContract {

    F16Test() {
        super(new F16(), 0x1p-11);
    }
}
