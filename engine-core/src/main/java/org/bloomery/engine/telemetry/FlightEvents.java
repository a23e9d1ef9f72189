package org.bloomery.engine.telemetry;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** The events. Field names are what recordings show, so they are kept. */
final class FlightEvents {

    private FlightEvents() {}

    @Name("org.bloomery.ModelLoad")
    @Label("Model Load")
    @Description("Opening a model file: checks, tokenizer, weights, cache")
    @Category("Bloomery")
    @StackTrace(false)
    static final class ModelLoad extends Event {

        @Label("Model")
        @Nullable
        String model;

        @Label("Backend")
        @Nullable
        String backend;

        @Label("File Size")
        @DataAmount
        long fileBytes;
    }

    @Name("org.bloomery.Request")
    @Label("Request")
    @Description("A request from its queueing to its end")
    @Category("Bloomery")
    @StackTrace(false)
    static final class Request extends Event {

        @Label("Request Id")
        @Nullable
        String id;

        @Label("Operation")
        @Nullable
        String operation;

        @Label("Finish Reason")
        @Nullable
        String finishReason;

        @Label("Error")
        @Description("Class of what the request failed with")
        @Nullable
        String error;

        @Label("Prompt Tokens")
        int promptTokens;

        @Label("Cached Tokens")
        @Description("Prompt tokens that were in the cache already")
        int cachedTokens;

        @Label("Completion Tokens")
        int completionTokens;

        @Label("Queued")
        @Description("From submission, the rendering of the prompt included, to the first prefill chunk")
        @Timespan
        long queued;

        @Label("Prefill")
        @Timespan
        long prefill;

        @Label("Decode")
        @Timespan
        long decode;

        @Label("Grammar")
        @Description("Time that the masks of a constraint took")
        @Timespan
        long grammar;
    }

    @Name("org.bloomery.Prefill")
    @Label("Prefill")
    @Description("From a request's leaving the queue to its first token")
    @Category("Bloomery")
    @StackTrace(false)
    static final class Prefill extends Event {

        @Label("Request Id")
        @Nullable
        String id;

        @Label("Prompt Tokens")
        int promptTokens;

        @Label("Cached Tokens")
        int cachedTokens;
    }

    @Name("org.bloomery.Step")
    @Label("Step")
    @Description("One forward pass of all running sequences and the choice of their next tokens")
    @Category("Bloomery")
    @StackTrace(false)
    static final class Step extends Event {

        @Label("Prefill Tokens")
        int prefillTokens;

        @Label("Decode Tokens")
        int decodeTokens;

        @Label("Sequences")
        int sequences;

        @Label("Active Sequences")
        int active;

        @Label("Waiting Requests")
        int waiting;

        @Label("Prefill Backlog")
        @Description("Prompt tokens that are still to be read")
        long prefillBacklog;
    }
}
