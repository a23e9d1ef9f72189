package org.bloomery.javaengine.quant;

class BF16Test extends QuantTypeContract {

    BF16Test() {
        super(new BF16(), 0x1p-8);
    }
}
