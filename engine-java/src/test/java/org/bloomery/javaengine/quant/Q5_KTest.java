package org.bloomery.javaengine.quant;

class Q5_KTest extends QuantTypeContract {

    Q5_KTest() {
        super(new Q5_K(), 0.06);
    }
}
