package org.bloomery.javaengine.quant;

class Q5_1Test extends QuantTypeContract {

    Q5_1Test() {
        super(new Q5_1(), 0.037);
    }
}
