package org.bloomery.javaengine.quant;

class Q5_0Test extends QuantTypeContract {

    Q5_0Test() {
        super(new Q5_0(), 0.07);
    }
}
