package org.bloomery.engine.template;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The arguments of a call. */
record Arguments(List<Value> positional, Map<String, Value> named) {

    static final Arguments NONE = new Arguments(List.of(), Map.of());

    static Arguments of(Value... positional) {
        return new Arguments(Arrays.asList(positional), Map.of());
    }

    /**
     * Assigns the arguments to parameters.
     *
     * @param function for messages
     * @param required how many of the parameters must be given
     * @return one element a parameter, null where none was given
     */
    @Nullable
    Value[] bind(String function, int required, String... parameters) {
        if (positional.size() > parameters.length) {
            throw new Failure(function + "() takes at most " + parameters.length + " arguments (" + positional.size()
                    + " given)");
        }
        @Nullable Value[] bound = new Value[parameters.length];
        for (int i = 0; i < positional.size(); i++) {
            bound[i] = positional.get(i);
        }
        for (Map.Entry<String, Value> entry : named.entrySet()) {
            int at = Arrays.asList(parameters).indexOf(entry.getKey());
            if (at < 0) {
                throw new Failure(function + "() got an unexpected keyword argument");
            }
            if (bound[at] != null) {
                throw new Failure(function + "() got multiple values for argument '" + parameters[at] + "'");
            }
            bound[at] = entry.getValue();
        }
        for (int i = 0; i < required; i++) {
            if (bound[i] == null) {
                throw new Failure(function + "() misses its argument '" + parameters[i] + "'");
            }
        }
        return bound;
    }

    void refuseNamed(String function) {
        if (!named.isEmpty()) {
            throw new Failure(function + "() takes no keyword arguments");
        }
    }
}
