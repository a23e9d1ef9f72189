package org.bloomery.engine.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/** Python's arithmetic and the way it writes numbers. */
final class Numbers {

    private Numbers() {}

    /** Whether two values are equal numbers; false where one is no number. */
    static boolean equal(Value a, Value b) {
        BigInteger x = integer(a);
        BigInteger y = integer(b);
        if (x != null && y != null) {
            return x.equals(y);
        }
        return isNumber(a) && isNumber(b) && !isNaN(a) && !isNaN(b) && compare(a, b) == 0;
    }

    private static boolean isNaN(Value value) {
        return value instanceof Real real && Double.isNaN(real.value());
    }

    static boolean isNumber(Value value) {
        return value instanceof Int || value instanceof Real || value instanceof Bool;
    }

    /** The value of an integer or truth value, or null. */
    static @Nullable BigInteger integer(Value value) {
        return switch (value) {
            case Int number -> number.value();
            case Bool truth -> truth.number();
            default -> null;
        };
    }

    /** A number as double; an integer too large for one is refused. */
    static double real(Value value) {
        if (value instanceof Real real) {
            return real.value();
        }
        BigInteger integer = integer(value);
        if (integer == null) {
            throw new Failure("must be real number, not " + Python.typeName(value));
        }
        double result = integer.doubleValue();
        if (Double.isInfinite(result)) {
            throw new Failure("int too large to convert to float");
        }
        return result;
    }

    /** Exact order of two numbers, NaN above all. */
    static int compare(Value a, Value b) {
        BigInteger x = integer(a);
        BigInteger y = integer(b);
        if (x != null && y != null) {
            return x.compareTo(y);
        }
        double p = x == null ? ((Real) a).value() : 0;
        double q = y == null ? ((Real) b).value() : 0;
        if (x == null && y == null) {
            return p == q ? 0 : Double.compare(p, q);
        }
        double real = x == null ? p : q;
        int order;
        if (Double.isNaN(real) || Double.isInfinite(real)) {
            order = real < 0 ? -1 : 1;
        } else {
            order = new BigDecimal(real).compareTo(new BigDecimal(x == null ? y : x));
        }
        return x == null ? order : -order;
    }

    /** Applies an operator, or returns null where one operand is no number. */
    static @Nullable Value arithmetic(String operator, Value a, Value b) {
        if (!isNumber(a) || !isNumber(b)) {
            return null;
        }
        BigInteger x = integer(a);
        BigInteger y = integer(b);
        return x != null && y != null ? ofIntegers(operator, x, y) : ofReals(operator, real(a), real(b));
    }

    private static Value ofIntegers(String operator, BigInteger x, BigInteger y) {
        return switch (operator) {
            case "+" -> new Int(x.add(y));
            case "-" -> new Int(x.subtract(y));
            case "*" -> {
                if (x.bitLength() + y.bitLength() > Fuel.MAX_INTEGER_BITS + 1) {
                    throw new Failure("it computes an integer of more than " + Fuel.MAX_INTEGER_BITS + " bits");
                }
                yield new Int(x.multiply(y));
            }
            case "/" -> {
                nonZero(y.signum() != 0);
                double quotient = new BigDecimal(x)
                        .divide(new BigDecimal(y), new MathContext(60, RoundingMode.HALF_EVEN))
                        .doubleValue();
                if (Double.isInfinite(quotient)) {
                    throw new Failure("integer division result too large for a float");
                }
                yield new Real(x.signum() == 0 && y.signum() < 0 ? -0.0 : quotient);
            }
            case "//" -> {
                nonZero(y.signum() != 0);
                BigInteger[] parts = x.divideAndRemainder(y);
                yield new Int(parts[1].signum() * y.signum() < 0 ? parts[0].subtract(BigInteger.ONE) : parts[0]);
            }
            case "%" -> {
                nonZero(y.signum() != 0);
                BigInteger rest = x.remainder(y);
                yield new Int(rest.signum() * y.signum() < 0 ? rest.add(y) : rest);
            }
            case "**" -> power(x, y);
            default -> throw new IllegalArgumentException(operator);
        };
    }

    private static Value power(BigInteger x, BigInteger y) {
        if (y.signum() < 0) {
            return ofReals("**", real(new Int(x)), real(new Int(y)));
        }
        if (x.abs().bitLength() <= 1) {
            return new Int(x.signum() == 0 && y.signum() == 0 ? BigInteger.ONE : y.testBit(0) ? x : x.multiply(x));
        }
        if (y.bitLength() > 20 || (long) x.bitLength() * y.intValue() > Fuel.MAX_INTEGER_BITS + 64L) {
            throw new Failure("it computes an integer of more than " + Fuel.MAX_INTEGER_BITS + " bits");
        }
        return new Int(x.pow(y.intValue()));
    }

    private static Value ofReals(String operator, double x, double y) {
        return new Real(
                switch (operator) {
                    case "+" -> x + y;
                    case "-" -> x - y;
                    case "*" -> x * y;
                    case "/" -> {
                        nonZero(y != 0);
                        yield x / y;
                    }
                    case "//" -> {
                        nonZero(y != 0);
                        double rest = x % y;
                        double quotient = (x - rest) / y;
                        if (rest != 0 && (rest < 0) != (y < 0)) {
                            quotient -= 1;
                        }
                        double floor = Math.floor(quotient);
                        yield quotient == 0 ? Math.copySign(0, x / y) : quotient - floor > 0.5 ? floor + 1 : floor;
                    }
                    case "%" -> {
                        nonZero(y != 0);
                        double rest = x % y;
                        yield rest == 0 ? Math.copySign(0, y) : (rest < 0) != (y < 0) ? rest + y : rest;
                    }
                    case "**" -> {
                        nonZero(x != 0 || y >= 0);
                        double power = x == 1 || y == 0 ? 1 : Math.pow(x, y);
                        if (Double.isNaN(power) && !Double.isNaN(x) && !Double.isNaN(y)) {
                            throw new Failure("complex numbers are not supported");
                        }
                        if (Double.isInfinite(power) && !Double.isInfinite(x) && !Double.isInfinite(y)) {
                            throw new Failure("Numerical result out of range");
                        }
                        yield power;
                    }
                    default -> throw new IllegalArgumentException(operator);
                });
    }

    private static void nonZero(boolean valid) {
        if (!valid) {
            throw new Failure("division by zero");
        }
    }

    static Value negate(Value value) {
        BigInteger integer = integer(value);
        return integer != null ? new Int(integer.negate()) : new Real(-real(value));
    }

    /** A float without its fraction. */
    static BigInteger truncate(double value) {
        if (Double.isNaN(value)) {
            throw new Failure("cannot convert float NaN to integer");
        }
        if (Double.isInfinite(value)) {
            throw new Failure("cannot convert float infinity to integer");
        }
        return new BigDecimal(value).toBigInteger();
    }

    /** Python's repr of a float: the shortest digits that read back as it. */
    static String repr(double value) {
        String special = special(value);
        if (special != null) {
            return special;
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        String digits = shortest.unscaledValue().abs().toString();
        int exponent = digits.length() - 1 - shortest.scale();
        String sign = value < 0 ? "-" : "";
        if (exponent < -4 || exponent >= 16) {
            String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
            return sign + mantissa + "e" + exponent(exponent);
        }
        String plain = shortest.abs().toPlainString();
        return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
    }

    /** nan, inf, -inf, or null for a finite number. */
    static @Nullable String special(double value) {
        return Double.isNaN(value) ? "nan" : Double.isInfinite(value) ? value < 0 ? "-inf" : "inf" : null;
    }

    /** An exponent with its sign and at least two digits. */
    static String exponent(int exponent) {
        int size = Math.abs(exponent);
        return (exponent < 0 ? "-" : "+") + (size < 10 ? "0" : "") + size;
    }
}
