package org.bloomery.javaengine.quant;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.format.TensorType;

/** The list of element types that weights may have. */
public final class QuantTypes {

    private static final List<QuantType> ALL = List.of(
            new F32(),
            new F16(),
            new BF16(),
            new Q8_0(),
            new Q4_0(),
            new Q4_1(),
            new Q5_0(),
            new Q5_1(),
            new Q4_K(),
            new Q5_K(),
            new Q6_K());

    private static final Map<TensorType, QuantType> BY_TYPE =
            ALL.stream().collect(Collectors.toUnmodifiableMap(QuantType::type, Function.identity()));

    private QuantTypes() {}

    /** Every type, in the order of their introduction. */
    public static List<QuantType> all() {
        return ALL;
    }

    /** Whether weights of this type can be computed with. */
    public static boolean supports(TensorType type) {
        return BY_TYPE.containsKey(type);
    }

    /** @throws UnsupportedModelException if weights of this type cannot be computed with */
    public static QuantType of(TensorType type) {
        QuantType found = BY_TYPE.get(type);
        if (found == null) {
            throw new UnsupportedModelException("Tensor type " + type + " has no kernel in the Java backend; it reads "
                    + ALL.stream().map(each -> each.type().name()).collect(Collectors.joining(", "))
                    + ": convert the model to one of them.");
        }
        return found;
    }
}
