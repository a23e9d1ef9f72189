package org.bloomery.javaengine.quant;

class Q8_0Test extends QuantTypeContract {

    Q8_0Test() {
        super(new Q8_0(), 0.0045);
    }
}
