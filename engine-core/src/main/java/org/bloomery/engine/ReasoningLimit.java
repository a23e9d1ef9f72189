package org.bloomery.engine;

/**
 * How long an answer may think.
 *
 * @param tokens most tokens of reasoning; {@link Integer#MAX_VALUE} for no limit
 * @param end tokens that are then written to end it
 */
record ReasoningLimit(int tokens, int[] end) {

    static final ReasoningLimit NONE = new ReasoningLimit(Integer.MAX_VALUE, new int[0]);
}
