package org.bloomery.engine.grammar;

/**
 * What compiling one constraint may cost. Work is counted in steps and not in time, so that the same constraint is
 * accepted or refused alike on every machine; the steps are chosen to take less than a tenth of a second.
 */
final class Budget {

    /** Nesting of groups, of schemas and of rules' parentheses. */
    static final int MAX_DEPTH = 64;

    /** States of each automaton, and of the whole grammar. */
    static final int MAX_STATES = 50_000;

    /** Characters of a description. */
    static final int MAX_LENGTH = 1 << 20;

    private static final long MAX_STEPS = 1_500_000;

    private final String subject;
    private final Steps spent;

    private static final class Steps {
        private long count;
    }

    /** @param subject what is compiled, as errors name it: "The regular expression" */
    Budget(String subject) {
        this(subject, new Steps());
    }

    private Budget(String subject, Steps spent) {
        this.subject = subject;
        this.spent = spent;
    }

    /** The same steps under another name, for a part. */
    Budget of(String part) {
        return new Budget(part, spent);
    }

    /** The same steps for a part of the subject, named behind it. */
    Budget part(String part) {
        return new Budget(subject + " " + part, spent);
    }

    /** Counts work, roughly one step a memory access. */
    void spend(long count) {
        spent.count += count;
        if (spent.count > MAX_STEPS) {
            throw tooLarge("takes more than " + MAX_STEPS + " steps to compile");
        }
    }

    /** Refuses more states than are allowed. */
    void states(long count) {
        if (count > MAX_STATES) {
            throw tooLarge("needs more than " + MAX_STATES + " states");
        }
    }

    /** Refuses deeper nesting than is allowed. */
    void depth(int depth) {
        if (depth > MAX_DEPTH) {
            throw tooLarge("nests deeper than " + MAX_DEPTH);
        }
    }

    GrammarException tooLarge(String what) {
        return new GrammarException(subject + " " + what + "; simplify it, or lower its bounds.");
    }

    GrammarException refuse(String what) {
        return new GrammarException(subject + " " + what);
    }
}
