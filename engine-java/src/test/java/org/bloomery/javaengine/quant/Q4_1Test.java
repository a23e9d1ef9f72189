package org.bloomery.javaengine.quant;

class Q4_1Test extends QuantTypeContract {

    Q4_1Test() {
        super(new Q4_1(), 0.075);
    }
}
