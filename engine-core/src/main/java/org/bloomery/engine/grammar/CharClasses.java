package org.bloomery.engine.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A partition of all characters into classes that an automaton does not tell apart.
 *
 * @param sets disjoint, together {@link CodePoints#ALL}
 */
record CharClasses(List<CodePoints> sets) {

    int size() {
        return sets.size();
    }

    /** The coarsest partition in which every one of these sets is made of whole classes. */
    static CharClasses of(List<CodePoints> distinguished, Budget budget) {
        int count = 0;
        for (CodePoints set : distinguished) {
            count += 2 * set.ranges();
        }
        int[] cuts = new int[count + 3];
        int size = 0;
        cuts[size++] = 0;
        cuts[size++] = Character.MAX_SURROGATE + 1;
        for (CodePoints set : distinguished) {
            for (int i = 0; i < set.ranges(); i++) {
                cuts[size++] = set.first(i);
                cuts[size++] = set.last(i) + 1;
            }
        }
        cuts[size] = Character.MAX_CODE_POINT + 1;
        Arrays.sort(cuts);
        Map<BitSet, CodePoints.Collector> bySignature = new LinkedHashMap<>();
        int[] position = new int[distinguished.size()];
        for (int i = 0; i + 1 < cuts.length; i++) {
            int first = cuts[i];
            if (first == cuts[i + 1]) {
                continue;
            }
            budget.spend(distinguished.size() + 1L);
            BitSet signature = new BitSet();
            for (int s = 0; s < position.length; s++) {
                CodePoints set = distinguished.get(s);
                while (position[s] < set.ranges() && set.last(position[s]) < first) {
                    position[s]++;
                }
                if (position[s] < set.ranges() && set.first(position[s]) <= first) {
                    signature.set(s);
                }
            }
            bySignature
                    .computeIfAbsent(signature, key -> new CodePoints.Collector())
                    .add(first, cuts[i + 1] - 1);
        }
        List<CodePoints> sets = new ArrayList<>();
        for (CodePoints.Collector collector : bySignature.values()) {
            CodePoints set = collector.build();
            if (!set.isEmpty()) {
                sets.add(set);
            }
        }
        return new CharClasses(List.copyOf(sets));
    }

    /** The classes that make up a set. */
    int[] within(CodePoints set) {
        int[] numbers = new int[sets.size()];
        int size = 0;
        for (int i = 0; i < sets.size(); i++) {
            if (set.contains(sets.get(i).first(0))) {
                numbers[size++] = i;
            }
        }
        return Arrays.copyOf(numbers, size);
    }

    /** The class of a character. */
    int of(int c) {
        for (int i = 0; i < sets.size(); i++) {
            if (sets.get(i).contains(c)) {
                return i;
            }
        }
        throw new IllegalArgumentException("no character: " + c);
    }
}
