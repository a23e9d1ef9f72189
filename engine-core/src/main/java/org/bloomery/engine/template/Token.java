package org.bloomery.engine.template;

import java.math.BigInteger;

/**
 * A piece of template source.
 *
 * @param kind what it is
 * @param text a name, an operator, the value of a string, or template data
 * @param line counted from 1
 */
record Token(Kind kind, String text, int line) {

    /** What a token is. */
    enum Kind {
        DATA,
        VARIABLE_BEGIN,
        VARIABLE_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind wanted) {
        return kind == wanted;
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    boolean isOperator(String operator) {
        return kind == Kind.OPERATOR && text.equals(operator);
    }

    /** The value of an integer literal. */
    BigInteger integer() {
        String digits = text.replace("_", "");
        if (digits.length() > 4300) {
            throw new Failure("it has an integer of " + digits.length() + " digits; at most 4300 are allowed");
        }
        if (digits.length() > 2 && digits.charAt(0) == '0') {
            int radix = switch (Character.toLowerCase(digits.charAt(1))) {
                case 'x' -> 16;
                case 'o' -> 8;
                case 'b' -> 2;
                default -> 10;
            };
            return new BigInteger(radix == 10 ? digits : digits.substring(2), radix);
        }
        return new BigInteger(digits);
    }

    /** How messages name it. */
    String shown() {
        return switch (kind) {
            case DATA -> "template data";
            case VARIABLE_BEGIN -> "begin of print statement";
            case VARIABLE_END -> "end of print statement";
            case BLOCK_BEGIN -> "begin of statement block";
            case BLOCK_END -> "end of statement block";
            case STRING -> "string";
            case NAME, OPERATOR, INTEGER, FLOAT -> "'" + text + "'";
            case END -> "end of template";
        };
    }
}
