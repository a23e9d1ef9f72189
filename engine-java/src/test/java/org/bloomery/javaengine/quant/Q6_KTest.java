package org.bloomery.javaengine.quant;

class Q6_KTest extends QuantTypeContract {

    Q6_KTest() {
        super(new Q6_K(), 0.05);
    }
}
