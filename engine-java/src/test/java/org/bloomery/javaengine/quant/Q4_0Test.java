package org.bloomery.javaengine.quant;

class Q4_0Test extends QuantTypeContract {

    Q4_0Test() {
        super(new Q4_0(), 0.14);
    }
}
