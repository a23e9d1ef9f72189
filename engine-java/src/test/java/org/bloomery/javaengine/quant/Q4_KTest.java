package org.bloomery.javaengine.quant;

class Q4_KTest extends QuantTypeContract {

    Q4_KTest() {
        super(new Q4_K(), 0.1);
    }
}
