package org.bloomery.engine.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Numbers as JSON spells them, within bounds: automata over digits. */
final class NumberTexts {

    /** Digits before the point where no bound asks for more: integers that a double holds exactly, as JSON is often read. */
    private static final int INTEGER_DIGITS = 15;

    private static final int FRACTION_DIGITS = 15;

    private static final String INTEGER = "-?(0|[1-9][0-9]{0," + (INTEGER_DIGITS - 1) + "})";

    /** Fewer digits, since those behind the point count as well. */
    private static final String MULTIPLE = "-?(0|[1-9][0-9]{0," + (INTEGER_DIGITS - 5) + "})";

    private static final String FRACTION = "(\\.[0-9]{1," + FRACTION_DIGITS + "})?";
    private static final String EXPONENT = "([eE][+-]?[0-9]{1,2})?";

    private static final int MAX_MULTIPLE = 2_000;

    /**
     * Which numbers.
     *
     * @param least null for no bound
     * @param aboveLeast whether the bound itself is excluded
     */
    record Bounds(
            @Nullable BigDecimal least,
            boolean aboveLeast,
            @Nullable BigDecimal most,
            boolean belowMost) {

        static final Bounds NONE = new Bounds(null, false, null, false);

        /** Numbers within both. */
        Bounds and(Bounds other) {
            Bounds low = tighter(least, aboveLeast, other.least, other.aboveLeast, 1) ? this : other;
            Bounds high = tighter(most, belowMost, other.most, other.belowMost, -1) ? this : other;
            return new Bounds(low.least, low.aboveLeast, high.most, high.belowMost);
        }

        private static boolean tighter(
                @Nullable BigDecimal a, boolean aExcluded, @Nullable BigDecimal b, boolean bExcluded, int sign) {
            if (a == null || b == null) {
                return a != null;
            }
            int order = sign > 0 ? a.compareTo(b) : b.compareTo(a);
            return order > 0 || (order == 0 && (aExcluded || !bExcluded));
        }

        boolean contains(BigDecimal value) {
            return (least == null || value.compareTo(least) >= (aboveLeast ? 1 : 0))
                    && (most == null || value.compareTo(most) <= (belowMost ? -1 : 0));
        }

        /** Whether no number is within. */
        boolean isEmpty() {
            if (least == null || most == null) {
                return false;
            }
            int order = least.compareTo(most);
            return order > 0 || (order == 0 && (aboveLeast || belowMost));
        }

        boolean unbounded() {
            return least == null && most == null;
        }
    }

    private final CharNfa nfa;
    private final int end;

    private NumberTexts(Budget budget) {
        nfa = new CharNfa(budget);
        end = nfa.newState();
    }

    /**
     * Numbers within bounds, as texts.
     *
     * @param multiples what each number must be a multiple of
     */
    static CharDfa of(boolean integer, Bounds bounds, List<BigDecimal> multiples, Budget budget, String path) {
        CharDfa texts;
        if (bounds.unbounded()) {
            texts = Regex.matching(
                    integer ? INTEGER : multiples.isEmpty() ? INTEGER + FRACTION + EXPONENT : MULTIPLE + FRACTION,
                    budget);
        } else {
            texts = within(integer, bounds, budget);
        }
        for (BigDecimal multiple : multiples) {
            texts = texts.and(multiplesOf(multiple, budget, path), budget);
        }
        return texts;
    }

    private static CharDfa within(boolean integer, Bounds bounds, Budget budget) {
        NumberTexts numbers = new NumberTexts(budget);
        BigDecimal zero = BigDecimal.ZERO;
        BigDecimal least = bounds.least();
        BigDecimal most = bounds.most();
        // From zero upwards
        if (most == null || most.signum() >= 0) {
            boolean fromZero = least == null || least.signum() < 0;
            numbers.magnitudes(
                    0,
                    integer,
                    fromZero || least == null ? zero : least,
                    !fromZero && bounds.aboveLeast(),
                    most == null ? beyond(least) : most,
                    most == null || bounds.belowMost());
        }
        // Below zero: the same with signs and bounds exchanged
        if (least == null || least.signum() < 0) {
            int minus = numbers.nfa.newState();
            numbers.nfa.move(0, CodePoints.of('-'), minus);
            boolean toZero = most == null || most.signum() >= 0;
            numbers.magnitudes(
                    minus,
                    integer,
                    toZero || most == null ? zero : most.negate(),
                    toZero || bounds.belowMost(),
                    least == null ? beyond(most) : least.negate(),
                    least == null || bounds.aboveLeast());
        }
        return numbers.nfa.toDfa(numbers.end, false);
    }

    /** A power of ten beyond what is asked for. */
    private static BigDecimal beyond(@Nullable BigDecimal bound) {
        int digits = bound == null ? 1 : Math.max(1, bound.precision() - bound.scale());
        return BigDecimal.TEN.pow(Math.max(INTEGER_DIGITS, digits + 1));
    }

    /** Texts of the numbers between two that are not negative. */
    private void magnitudes(
            int from, boolean integer, BigDecimal least, boolean above, BigDecimal most, boolean below) {
        BigDecimal low = least;
        BigDecimal high = most;
        boolean aboveLow = above;
        boolean belowHigh = below;
        if (integer) {
            low = least.setScale(0, RoundingMode.CEILING);
            high = most.setScale(0, RoundingMode.FLOOR);
            aboveLow = above && low.compareTo(least) == 0;
            belowHigh = below && high.compareTo(most) == 0;
        }
        int scale = integer
                ? 0
                : Math.max(
                        FRACTION_DIGITS,
                        Math.max(stripped(low).scale(), stripped(high).scale()) + 1);
        for (int length = integerDigits(low); length <= integerDigits(high); length++) {
            new Magnitude(
                            length,
                            scale,
                            integerDigits(low) == length ? digits(low, length, scale) : "",
                            aboveLow,
                            integerDigits(high) == length ? digits(high, length, scale) : "",
                            belowHigh)
                    .build(from);
        }
    }

    private static BigDecimal stripped(BigDecimal value) {
        return value.signum() == 0 ? BigDecimal.ZERO : value.stripTrailingZeros();
    }

    private static int integerDigits(BigDecimal value) {
        BigInteger whole = value.toBigInteger();
        return whole.toString().length();
    }

    private static String digits(BigDecimal value, int length, int scale) {
        String digits =
                value.setScale(scale, RoundingMode.UNNECESSARY).unscaledValue().toString();
        return "0".repeat(Math.max(0, length + scale - digits.length())) + digits;
    }

    /**
     * Numbers with so many digits before the point. Digits of equal length compare as texts do, so a state is a position,
     * and for each bound whether the digits so far are its beginning.
     */
    private final class Magnitude {

        private final int length;
        private final int scale;
        private final String low;
        private final boolean above;
        private final String high;
        private final boolean below;
        private final Map<Integer, Integer> states = new HashMap<>();

        Magnitude(int length, int scale, String low, boolean above, String high, boolean below) {
            this.length = length;
            this.scale = scale;
            this.low = low;
            this.above = above;
            this.high = high;
            this.below = below;
        }

        void build(int from) {
            nfa.empty(from, state(0, !low.isEmpty(), !high.isEmpty()), CharNfa.When.ALWAYS);
        }

        private int state(int position, boolean atLow, boolean atHigh) {
            int key = position << 2 | (atLow ? 2 : 0) | (atHigh ? 1 : 0);
            Integer known = states.get(key);
            if (known != null) {
                return known;
            }
            int state = nfa.newState();
            states.put(key, state);
            if (position >= length && mayEnd(position, atLow, atHigh)) {
                nfa.empty(state, end, CharNfa.When.ALWAYS);
            }
            if (position < length + scale) {
                int before = state;
                if (position == length) {
                    before = nfa.newState();
                    nfa.move(state, CodePoints.of('.'), before);
                }
                int least = Math.max(atLow ? low.charAt(position) - '0' : 0, position == 0 && length > 1 ? 1 : 0);
                int most = atHigh ? high.charAt(position) - '0' : 9;
                for (int digit = least; digit <= most; digit++) {
                    int next = state(
                            position + 1,
                            atLow && digit == low.charAt(position) - '0',
                            atHigh && digit == high.charAt(position) - '0');
                    nfa.move(before, CodePoints.of('0' + digit), next);
                }
            }
            return state;
        }

        private boolean mayEnd(int position, boolean atLow, boolean atHigh) {
            if (atLow && (above || !zeros(low, position))) {
                // Shorter than the bound, or the bound itself
                return false;
            }
            return !(atHigh && below && zeros(high, position));
        }

        private static boolean zeros(String digits, int from) {
            for (int i = from; i < digits.length(); i++) {
                if (digits.charAt(i) != '0') {
                    return false;
                }
            }
            return true;
        }
    }

    /** Texts of multiples: the remainder after each digit is the state. */
    private static CharDfa multiplesOf(BigDecimal multiple, Budget budget, String path) {
        BigDecimal exact = multiple.stripTrailingZeros();
        BigDecimal whole = exact.scale() < 0 ? exact.setScale(0, RoundingMode.UNNECESSARY) : exact;
        int scale = whole.scale();
        BigInteger unit = whole.unscaledValue();
        if (unit.compareTo(BigInteger.valueOf(MAX_MULTIPLE)) > 0 || scale > 9) {
            throw budget.refuse("has a 'multipleOf' at " + path + " of more than " + MAX_MULTIPLE
                    + " units or 9 decimal places; use a simpler one, or leave it out.");
        }
        int m = unit.intValue();
        CharNfa nfa = new CharNfa(budget);
        int end = nfa.newState();
        // By remainder, for each number of digits behind the point; number -1 is the point itself
        int[][] states = new int[scale + 2][m];
        for (int[] row : states) {
            for (int r = 0; r < m; r++) {
                row[r] = nfa.newState();
            }
        }
        int first = nfa.newState();
        nfa.empty(0, first, CharNfa.When.ALWAYS);
        nfa.move(0, CodePoints.of('-'), first);
        for (int digit = 0; digit <= 9; digit++) {
            CodePoints set = CodePoints.of('0' + digit);
            nfa.move(first, set, states[0][digit % m]);
            for (int r = 0; r < m; r++) {
                int next = (r * 10 + digit) % m;
                nfa.move(states[0][r], set, states[0][next]);
                if (scale > 0) {
                    nfa.move(states[scale + 1][r], set, states[1][next]);
                }
                for (int place = 1; place < scale; place++) {
                    nfa.move(states[place][r], set, states[place + 1][next]);
                }
            }
        }
        for (int r = 0; r < m; r++) {
            if (scale > 0) {
                nfa.move(states[0][r], CodePoints.of('.'), states[scale + 1][r]);
            }
            for (int place = 0; place <= scale; place++) {
                long factor = 1;
                for (int i = place; i < scale; i++) {
                    factor = factor * 10 % m;
                }
                if (r * factor % m == 0) {
                    nfa.empty(states[place][r], end, CharNfa.When.ALWAYS);
                }
            }
        }
        return nfa.toDfa(end, false);
    }
}
