package org.bloomery.engine.chat;

import java.util.List;

/** Reads what stands between the marks of a model family's tool calls. */
interface CallReader {

    /**
     * Reads the calls at the beginning of a text.
     *
     * @param body what follows the opening mark, up to a closing mark or the end of the answer
     * @param tools what the model was offered
     */
    Reading read(String body, OfferedTools tools);

    /**
     * A tool's name and its arguments.
     *
     * @param arguments a JSON object
     */
    record Call(String name, String arguments) {

        /** Leaves the arguments out: they may hold user data. */
        @Override
        public String toString() {
            return "Call[" + name + "]";
        }
    }

    /**
     * What was found.
     *
     * @param incomplete whether the text ends before the calls do, so that a closing mark may belong to them
     * @param calls empty where the text holds no calls
     * @param end index behind the last call
     */
    record Reading(boolean incomplete, List<Call> calls, int end) {

        static final Reading NONE = new Reading(false, List.of(), 0);
        static final Reading INCOMPLETE = new Reading(true, List.of(), 0);

        public Reading {
            calls = List.copyOf(calls);
        }

        /** Whether there are calls and nothing else. */
        boolean isAll(String body) {
            return !calls.isEmpty() && body.substring(end).isBlank();
        }
    }
}
