package org.bloomery.engine.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a template computes with: Python's none, booleans, numbers, strings, lists and mappings, and the few things of the
 * template language itself. A closed set; no object of the host is among them. Values made by the factories here are
 * immutable and may be used by several threads.
 */
public sealed interface Value
        permits Bool,
                Callable,
                Cycler,
                Dict,
                DictView,
                Generator,
                Int,
                Loop,
                Namespace,
                None,
                Range,
                Real,
                Seq,
                Slice,
                Text,
                Undefined {

    /** A string of the template's operator: control tokens written in it count. */
    static Value trusted(String text) {
        return Text.trusted(text);
    }

    /** A string of a user, document or tool: control tokens written in it are ordinary characters. */
    static Value untrusted(String text) {
        return Text.untrusted(text);
    }

    static Value of(long number) {
        return Int.of(number);
    }

    static Value of(BigInteger number) {
        return new Int(number);
    }

    static Value of(double number) {
        return new Real(number);
    }

    static Value of(boolean truth) {
        return Bool.of(truth);
    }

    static Value none() {
        return None.NONE;
    }

    static Value list(List<? extends Value> items) {
        return Seq.list(new ArrayList<>(items));
    }

    /** A mapping whose keys are names the caller wrote, not user data; order is kept. */
    static Value map(Map<String, ? extends Value> entries) {
        LinkedHashMap<Value, Value> map = new LinkedHashMap<>();
        entries.forEach((key, value) -> map.put(Text.trusted(key), value));
        return new Dict(map);
    }

    /** A mapping whose keys are user data; order is kept. */
    static Value untrustedMap(Map<String, ? extends Value> entries) {
        LinkedHashMap<Value, Value> map = new LinkedHashMap<>();
        entries.forEach((key, value) -> map.put(Text.untrusted(key), value));
        return new Dict(map);
    }

    /**
     * Reads a JSON document, every string in it untrusted, integers and fractions told apart, the order of keys kept; of
     * equal keys the last counts.
     *
     * @throws TemplateException where it is not JSON, or nests deeper than 128
     */
    static Value json(String document) {
        return Json.parse(document);
    }

    /**
     * Reads a JSON object into variables for {@link Template#render}, as {@link #json}.
     *
     * @throws TemplateException where it is not a JSON object
     */
    static Map<String, Value> variables(String document) {
        if (!(json(document) instanceof Dict dict)) {
            throw new TemplateException("The template's context is not a JSON object; give an object of variables.");
        }
        Map<String, Value> variables = new LinkedHashMap<>();
        dict.entries().forEach((key, value) -> variables.put(((Text) key).chars(), value));
        return variables;
    }
}
