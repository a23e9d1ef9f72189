package org.bloomery.engine.template;

/**
 * What one rendering may still spend: steps, characters and elements handled, length of a text, depth. All limits grow
 * with the input so that long conversations render, and are small multiples of it so that a hostile template stops soon.
 */
final class Fuel {

    /** Deepest nesting of source, of values, and of macro calls. */
    static final int MAX_DEPTH = 128;

    /** Largest integer, in bits; Python refuses to print more than 4300 digits, which are fewer. */
    static final int MAX_INTEGER_BITS = 16_384;

    private static final long STEPS = 1_000_000;
    private static final long STEPS_A_VALUE = 64;
    private static final long WORK = 64L << 20;
    private static final long WORK_A_CHARACTER = 256;
    private static final long WORK_AN_ELEMENT = 32;
    private static final long ELEMENTS = 1L << 20;
    private static final long TEXT = 1L << 20;
    private static final long TEXT_A_CHARACTER = 4;
    /** Evaluations inside each other, over all macros: less than half of the smallest usual stack. */
    private static final int MAX_EVALUATION_DEPTH = 400;

    private final long stepLimit;
    private final long workLimit;
    private final long textLimit;
    private final long elementLimit;
    private long steps;
    private long work;
    private int evaluationDepth;
    private int callDepth;

    /**
     * @param values how many values the template is given
     * @param characters how many characters they hold together
     */
    Fuel(long values, long characters) {
        this.stepLimit = STEPS + STEPS_A_VALUE * values;
        this.workLimit = WORK + WORK_A_CHARACTER * characters + STEPS_A_VALUE * WORK_A_CHARACTER * values;
        this.elementLimit = ELEMENTS + values;
        this.textLimit = Math.min(TEXT + TEXT_A_CHARACTER * characters, Integer.MAX_VALUE / 4);
    }

    /** One evaluation. */
    void step() {
        if (++steps > stepLimit) {
            throw new Failure("it takes more than " + stepLimit + " steps");
        }
    }

    /** Handling this many characters or elements. */
    void work(long amount) {
        work += amount;
        if (work > workLimit) {
            throw new Failure("it handles more than " + workLimit + " characters and elements");
        }
    }

    /** A new list or mapping of this many elements. */
    void elements(long count) {
        checkElements(count);
        work(WORK_AN_ELEMENT * count);
    }

    /** Checks the size of a list that grows, and counts one more element. */
    void element(long size) {
        checkElements(size);
        work(WORK_AN_ELEMENT);
    }

    private void checkElements(long count) {
        if (count > elementLimit) {
            throw new Failure("it builds a list of more than " + elementLimit + " elements");
        }
    }

    /** A new text of this length. */
    void text(long length) {
        checkText(length);
        work(length);
    }

    /** Checks a text's length without counting work, for a text that is only referred to. */
    void checkText(long length) {
        if (length > textLimit) {
            throw new Failure("it builds a text of " + length + " characters; at most " + textLimit + " are allowed");
        }
    }

    void enter() {
        if (++evaluationDepth > MAX_EVALUATION_DEPTH) {
            throw new Failure("it nests evaluations deeper than " + MAX_EVALUATION_DEPTH);
        }
    }

    void leave() {
        evaluationDepth--;
    }

    void enterCall() {
        if (++callDepth > MAX_DEPTH) {
            throw new Failure("it nests calls deeper than " + MAX_DEPTH);
        }
    }

    void leaveCall() {
        callDepth--;
    }
}
