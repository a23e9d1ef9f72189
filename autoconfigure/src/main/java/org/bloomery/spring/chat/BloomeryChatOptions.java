package org.bloomery.spring.chat;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.bloomery.engine.Constraint;
import org.bloomery.engine.GenerationOptions;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.engine.chat.ToolChoice;
import org.bloomery.engine.sampling.SamplingOptions;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.tool.ToolCallback;

/**
 * How a Bloomery model answers: Spring AI's portable options, the engine's other sampler settings, tools, and what the
 * answer must look like. Null means unset; an unset option takes the value that {@link GenerationOptions} documents.
 * Immutable; every value is checked when the options are built, and a constraint is compiled when a request has it.
 *
 * <p>At most one of {@code jsonSchema}, {@code regex}, {@code choices} and {@code grammar} is set. Spring AI's
 * {@code outputSchema}, which a {@code ChatClient} sets for its typed answers, is {@code jsonSchema} by another name.
 */
public final class BloomeryChatOptions extends DefaultToolCallingChatOptions implements StructuredOutputChatOptions {

    private final Builder values;

    private BloomeryChatOptions(
            Builder values,
            @Nullable List<ToolCallback> toolCallbacks,
            @Nullable Map<String, Object> toolContext,
            @Nullable String model,
            @Nullable Double frequencyPenalty,
            @Nullable Integer maxTokens,
            @Nullable Double presencePenalty,
            @Nullable List<String> stopSequences,
            @Nullable Double temperature,
            @Nullable Integer topK,
            @Nullable Double topP) {
        super(
                toolCallbacks,
                toolContext,
                model,
                frequencyPenalty,
                maxTokens,
                presencePenalty,
                stopSequences,
                temperature,
                topK,
                topP);
        this.values = values;
    }

    /** A builder with every option unset. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    @Override
    public Builder mutate() {
        return values.clone();
    }

    /** Keeps tokens with at least this share of the best one's probability, 0 to 1; 0 keeps all. */
    public @Nullable Double getMinP() {
        return values.minP;
    }

    /** Locally typical sampling's total probability, 0 to 1; 1 keeps all. */
    public @Nullable Double getTypicalP() {
        return values.typicalP;
    }

    /** What makes an answer repeatable; unset, every answer has a random one. */
    public @Nullable Long getSeed() {
        return values.seed;
    }

    /** Tokens that the repeat, frequency and presence penalties look back on; -1 for the whole context. */
    public @Nullable Integer getPenaltyLastN() {
        return values.penaltyLastN;
    }

    /** Divides positive logits of seen tokens and multiplies negative ones, 0.1 to 10; 1 is neutral. */
    public @Nullable Double getRepeatPenalty() {
        return values.repeatPenalty;
    }

    /** DRY: strength, 0 to 10; 0 switches it off. */
    public @Nullable Double getDryMultiplier() {
        return values.dryMultiplier;
    }

    /** DRY: growth with the repetition's length, 1 to 10. */
    public @Nullable Double getDryBase() {
        return values.dryBase;
    }

    /** DRY: longest repetition that costs nothing, 1 to 1,024. */
    public @Nullable Integer getDryAllowedLength() {
        return values.dryAllowedLength;
    }

    /** DRY: tokens to look back on; -1 for the whole context. */
    public @Nullable Integer getDryPenaltyLastN() {
        return values.dryPenaltyLastN;
    }

    /** DRY: strings that end a repetition. */
    public @Nullable List<String> getDrySequenceBreakers() {
        return values.drySequenceBreakers;
    }

    /** XTC: probability of removing the top choices, 0 to 1; 0 switches it off. */
    public @Nullable Double getXtcProbability() {
        return values.xtcProbability;
    }

    /** XTC: a choice is a top one from this probability on, 0 to 1. */
    public @Nullable Double getXtcThreshold() {
        return values.xtcThreshold;
    }

    /** Added to the logits of these token ids, -100 to 100. */
    public @Nullable Map<Integer, Double> getLogitBias() {
        return values.logitBias;
    }

    /** Most time from submission to the end of the answer; unset, the engine's. */
    public @Nullable Duration getTimeout() {
        return values.timeout;
    }

    /** How many best alternatives to report for each token, 0 to 20; unset, nothing is reported. */
    public @Nullable Integer getLogProbabilities() {
        return values.logProbabilities;
    }

    /** Extra variables for the chat template, such as {@code enable_thinking}. */
    public @Nullable Map<String, Object> getTemplateArguments() {
        return values.templateArguments;
    }

    /** JSON Schema, draft 2020-12, that the answer is valid for; unset, the answer is free. */
    public @Nullable String getJsonSchema() {
        return values.jsonSchema;
    }

    /** {@link #getJsonSchema}, as Spring AI calls it. */
    @Override
    public @Nullable String getOutputSchema() {
        return values.jsonSchema;
    }

    /** Regular expression that matches the whole answer; unset, the answer is free. */
    public @Nullable String getRegex() {
        return values.regex;
    }

    /** Texts of which the answer is one; unset, the answer is free. */
    public @Nullable List<String> getChoices() {
        return values.choices;
    }

    /** Grammar in GBNF that the answer is of; unset, the answer is free. */
    public @Nullable String getGrammar() {
        return values.grammar;
    }

    /** {@code auto}, {@code none}, {@code required} or the name of the one tool to call; unset, {@code auto}. */
    public @Nullable String getToolChoice() {
        return values.toolChoice;
    }

    /** Whether the model thinks before it answers; unset, as its template likes. */
    public Thinking.@Nullable Mode getThinking() {
        return values.thinking;
    }

    /** Most tokens of thinking, at least 1; unset, no limit. */
    public @Nullable Integer getThinkingBudget() {
        return values.thinkingBudget;
    }

    /** Added to the logits of the tokens of these texts, -100 to 100. */
    public @Nullable Map<String, Double> getTextBias() {
        return values.textBias;
    }

    GenerationOptions generationOptions() {
        return values.generationOptions();
    }

    ToolChoice toolChoice() {
        return values.choice();
    }

    Thinking thinking() {
        return values.thought();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return super.equals(other)
                && other instanceof BloomeryChatOptions that
                && values.ownValues().equals(that.values.ownValues());
    }

    @Override
    public int hashCode() {
        return 31 * super.hashCode() + values.ownValues().hashCode();
    }

    /** Shows numbers; what may hold text of the application is counted. */
    @Override
    public String toString() {
        Map<String, @Nullable Object> shown = new LinkedHashMap<>();
        shown.put("model", getModel());
        shown.put("temperature", getTemperature());
        shown.put("topK", getTopK());
        shown.put("topP", getTopP());
        shown.put("frequencyPenalty", getFrequencyPenalty());
        shown.put("presencePenalty", getPresencePenalty());
        shown.put("maxTokens", getMaxTokens());
        shown.put("stopSequences", getStopSequences());
        shown.put("toolCallbacks", getToolCallbacks());
        shown.put("toolContext", getToolContext());
        values.ownValues()
                .forEach((name, value) ->
                        shown.put(name, value instanceof String content ? content.length() + " characters" : value));
        StringJoiner text = new StringJoiner(", ", "BloomeryChatOptions[", "]");
        shown.forEach((name, value) -> {
            switch (value) {
                case null -> {}
                case Collection<?> several -> text.add(several.size() + " " + name);
                case Map<?, ?> several -> text.add(several.size() + " " + name);
                default -> text.add(name + "=" + value);
            }
        });
        return text.toString();
    }

    /** Collects options. Not safe for use by several threads. */
    public static final class Builder extends DefaultToolCallingChatOptions.Builder<Builder>
            implements StructuredOutputChatOptions.Builder<Builder> {

        private @Nullable Double minP;
        private @Nullable Double typicalP;
        private @Nullable Long seed;
        private @Nullable Integer penaltyLastN;
        private @Nullable Double repeatPenalty;
        private @Nullable Double dryMultiplier;
        private @Nullable Double dryBase;
        private @Nullable Integer dryAllowedLength;
        private @Nullable Integer dryPenaltyLastN;
        private @Nullable List<String> drySequenceBreakers;
        private @Nullable Double xtcProbability;
        private @Nullable Double xtcThreshold;
        private @Nullable Map<Integer, Double> logitBias;
        private @Nullable Duration timeout;
        private @Nullable Integer logProbabilities;
        private @Nullable Map<String, Object> templateArguments;
        private @Nullable String jsonSchema;
        private @Nullable String regex;
        private @Nullable List<String> choices;
        private @Nullable String grammar;
        private @Nullable String toolChoice;
        private Thinking.@Nullable Mode thinking;
        private @Nullable Integer thinkingBudget;
        private @Nullable Map<String, Double> textBias;

        private Builder() {}

        public Builder minP(@Nullable Double minP) {
            this.minP = minP;
            return this;
        }

        public Builder typicalP(@Nullable Double typicalP) {
            this.typicalP = typicalP;
            return this;
        }

        public Builder seed(@Nullable Long seed) {
            this.seed = seed;
            return this;
        }

        public Builder penaltyLastN(@Nullable Integer penaltyLastN) {
            this.penaltyLastN = penaltyLastN;
            return this;
        }

        public Builder repeatPenalty(@Nullable Double repeatPenalty) {
            this.repeatPenalty = repeatPenalty;
            return this;
        }

        public Builder dryMultiplier(@Nullable Double dryMultiplier) {
            this.dryMultiplier = dryMultiplier;
            return this;
        }

        public Builder dryBase(@Nullable Double dryBase) {
            this.dryBase = dryBase;
            return this;
        }

        public Builder dryAllowedLength(@Nullable Integer dryAllowedLength) {
            this.dryAllowedLength = dryAllowedLength;
            return this;
        }

        public Builder dryPenaltyLastN(@Nullable Integer dryPenaltyLastN) {
            this.dryPenaltyLastN = dryPenaltyLastN;
            return this;
        }

        public Builder drySequenceBreakers(@Nullable List<String> drySequenceBreakers) {
            this.drySequenceBreakers = drySequenceBreakers == null ? null : List.copyOf(drySequenceBreakers);
            return this;
        }

        public Builder xtcProbability(@Nullable Double xtcProbability) {
            this.xtcProbability = xtcProbability;
            return this;
        }

        public Builder xtcThreshold(@Nullable Double xtcThreshold) {
            this.xtcThreshold = xtcThreshold;
            return this;
        }

        public Builder logitBias(@Nullable Map<Integer, Double> logitBias) {
            this.logitBias = logitBias == null ? null : Map.copyOf(logitBias);
            return this;
        }

        public Builder timeout(@Nullable Duration timeout) {
            this.timeout = timeout;
            return this;
        }

        public Builder logProbabilities(@Nullable Integer logProbabilities) {
            this.logProbabilities = logProbabilities;
            return this;
        }

        /** Constrains the answer to documents that are valid for a JSON Schema. */
        public Builder jsonSchema(@Nullable String jsonSchema) {
            this.jsonSchema = jsonSchema;
            return this;
        }

        /** {@link #jsonSchema}, as Spring AI calls it. */
        @Override
        public Builder outputSchema(@Nullable String outputSchema) {
            return jsonSchema(outputSchema);
        }

        /** Constrains the answer to texts that a regular expression matches as a whole. */
        public Builder regex(@Nullable String regex) {
            this.regex = regex;
            return this;
        }

        /** Constrains the answer to one of these texts. */
        public Builder choices(@Nullable List<String> choices) {
            this.choices = choices == null ? null : List.copyOf(choices);
            return this;
        }

        /** Constrains the answer to texts of a grammar in GBNF. */
        public Builder grammar(@Nullable String grammar) {
            this.grammar = grammar;
            return this;
        }

        /**
         * Whether the model calls tools: {@code auto}, {@code none}, {@code required}, or the name of a tool. A demanded call
         * is demanded once: behind a tool's result the model chooses again.
         */
        public Builder toolChoice(@Nullable String toolChoice) {
            this.toolChoice = toolChoice;
            return this;
        }

        /** Whether the model thinks before it answers. */
        public Builder thinking(Thinking.@Nullable Mode thinking) {
            this.thinking = thinking;
            return this;
        }

        /** Most tokens of thinking, after which the model is made to answer. */
        public Builder thinkingBudget(@Nullable Integer thinkingBudget) {
            this.thinkingBudget = thinkingBudget;
            return this;
        }

        /** Replaces all biases of texts; a text's bias is added to the logit of each of its tokens. */
        public Builder textBias(@Nullable Map<String, Double> textBias) {
            this.textBias = textBias == null ? null : Map.copyOf(textBias);
            return this;
        }

        /**
         * Replaces all template arguments.
         *
         * @throws InvalidOptionException if a value is null
         */
        public Builder templateArguments(@Nullable Map<String, Object> templateArguments) {
            if (templateArguments == null) {
                this.templateArguments = null;
                return this;
            }
            templateArguments.forEach(Builder::requireValue);
            this.templateArguments = Map.copyOf(templateArguments);
            return this;
        }

        /** Adds or replaces one template argument. */
        public Builder templateArgument(String name, Object value) {
            requireValue(name, value);
            this.templateArguments = merged(templateArguments, Map.of(name, value));
            return this;
        }

        private static void requireValue(String name, @Nullable Object value) {
            if (value == null) {
                throw new InvalidOptionException("Option 'template-arguments' has no value for '" + name
                        + "'; it must be a string, a number, a boolean, a list or a map.");
            }
        }

        @Override
        public Builder clone() {
            return super.clone();
        }

        /**
         * Takes over what the other builder sets. Stop sequences, tools, biases and template arguments add up; a
         * constraint takes the place of any other.
         */
        @Override
        public Builder combineWith(ChatOptions.Builder<?> other) {
            super.combineWith(other);
            if (other instanceof Builder that) {
                minP = either(that.minP, minP);
                typicalP = either(that.typicalP, typicalP);
                seed = either(that.seed, seed);
                penaltyLastN = either(that.penaltyLastN, penaltyLastN);
                repeatPenalty = either(that.repeatPenalty, repeatPenalty);
                dryMultiplier = either(that.dryMultiplier, dryMultiplier);
                dryBase = either(that.dryBase, dryBase);
                dryAllowedLength = either(that.dryAllowedLength, dryAllowedLength);
                dryPenaltyLastN = either(that.dryPenaltyLastN, dryPenaltyLastN);
                drySequenceBreakers = either(that.drySequenceBreakers, drySequenceBreakers);
                xtcProbability = either(that.xtcProbability, xtcProbability);
                xtcThreshold = either(that.xtcThreshold, xtcThreshold);
                logitBias = merged(logitBias, that.logitBias);
                timeout = either(that.timeout, timeout);
                logProbabilities = either(that.logProbabilities, logProbabilities);
                templateArguments = merged(templateArguments, that.templateArguments);
                toolChoice = either(that.toolChoice, toolChoice);
                if (that.thinking != null) {
                    // A budget of the defaults means nothing to a request without thinking
                    thinking = that.thinking;
                    thinkingBudget = that.thinkingBudget;
                } else {
                    thinkingBudget = either(that.thinkingBudget, thinkingBudget);
                }
                textBias = merged(textBias, that.textBias);
                if (!that.constraints().isEmpty()) {
                    jsonSchema = that.jsonSchema;
                    regex = that.regex;
                    choices = that.choices;
                    grammar = that.grammar;
                }
            }
            return this;
        }

        /** @throws InvalidOptionException naming the option, its value and its range */
        @Override
        public BloomeryChatOptions build() {
            generationOptions();
            choice();
            thought();
            return new BloomeryChatOptions(
                    clone(),
                    toolCallbacks,
                    toolContext,
                    model,
                    frequencyPenalty,
                    maxTokens,
                    presencePenalty,
                    stopSequences,
                    temperature,
                    topK,
                    topP);
        }

        private GenerationOptions generationOptions() {
            SamplingOptions unset = SamplingOptions.DEFAULT;
            SamplingOptions.Dry dry = new SamplingOptions.Dry(
                    or(dryMultiplier, unset.dry().multiplier()),
                    or(dryBase, unset.dry().base()),
                    or(dryAllowedLength, unset.dry().allowedLength()),
                    or(dryPenaltyLastN, unset.dry().penaltyLastN()),
                    or(drySequenceBreakers, unset.dry().sequenceBreakers()));
            SamplingOptions.Xtc xtc = new SamplingOptions.Xtc(
                    or(xtcProbability, unset.xtc().probability()),
                    or(xtcThreshold, unset.xtc().threshold()));
            SamplingOptions sampling = new SamplingOptions(
                    or(temperature, unset.temperature()),
                    or(topK, unset.topK()),
                    or(topP, unset.topP()),
                    or(minP, unset.minP()),
                    or(typicalP, unset.typicalP()),
                    or(penaltyLastN, unset.penaltyLastN()),
                    or(repeatPenalty, unset.repeatPenalty()),
                    or(frequencyPenalty, unset.frequencyPenalty()),
                    or(presencePenalty, unset.presencePenalty()),
                    dry,
                    xtc,
                    or(logitBias, unset.logitBias()),
                    seed);
            Map<String, Constraint> constraints = constraints();
            if (constraints.size() > 1) {
                throw new InvalidOptionException("Options '" + String.join("' and '", constraints.keySet())
                        + "' are set together; an answer has one constraint, so set one of them.");
            }
            return new GenerationOptions(
                    sampling,
                    maxTokens,
                    or(stopSequences, List.of()),
                    timeout,
                    logProbabilities,
                    constraints.values().stream().findFirst().orElse(null),
                    or(textBias, Map.of()));
        }

        private ToolChoice choice() {
            return toolChoice == null ? ToolChoice.AUTO : ToolChoice.of(toolChoice);
        }

        private Thinking thought() {
            return new Thinking(or(thinking, Thinking.Mode.AUTO), thinkingBudget);
        }

        private Map<String, Constraint> constraints() {
            Map<String, Constraint> set = new LinkedHashMap<>();
            if (jsonSchema != null) {
                set.put("json-schema", new Constraint.JsonSchema(jsonSchema));
            }
            if (regex != null) {
                set.put("regex", new Constraint.Regex(regex));
            }
            if (choices != null) {
                set.put("choices", new Constraint.Choices(choices));
            }
            if (grammar != null) {
                set.put("grammar", new Constraint.Gbnf(grammar));
            }
            return set;
        }

        private Map<String, @Nullable Object> ownValues() {
            Map<String, @Nullable Object> own = new LinkedHashMap<>();
            own.put("minP", minP);
            own.put("typicalP", typicalP);
            own.put("seed", seed);
            own.put("penaltyLastN", penaltyLastN);
            own.put("repeatPenalty", repeatPenalty);
            own.put("dryMultiplier", dryMultiplier);
            own.put("dryBase", dryBase);
            own.put("dryAllowedLength", dryAllowedLength);
            own.put("dryPenaltyLastN", dryPenaltyLastN);
            own.put("drySequenceBreakers", drySequenceBreakers);
            own.put("xtcProbability", xtcProbability);
            own.put("xtcThreshold", xtcThreshold);
            own.put("logitBias", logitBias);
            own.put("timeout", timeout);
            own.put("logProbabilities", logProbabilities);
            own.put("templateArguments", templateArguments);
            own.put("jsonSchema", jsonSchema);
            own.put("regex", regex);
            own.put("choices", choices);
            own.put("grammar", grammar);
            own.put("toolChoice", toolChoice);
            own.put("thinking", thinking);
            own.put("thinkingBudget", thinkingBudget);
            own.put("textBias", textBias);
            return own;
        }

        private static <T> T or(@Nullable T value, T unset) {
            return value == null ? unset : value;
        }

        private static <T> @Nullable T either(@Nullable T first, @Nullable T second) {
            return first == null ? second : first;
        }

        private static <K, V> @Nullable Map<K, V> merged(@Nullable Map<K, V> under, @Nullable Map<K, V> over) {
            if (under == null || over == null) {
                return either(over, under);
            }
            Map<K, V> both = new HashMap<>(under);
            both.putAll(over);
            return Map.copyOf(both);
        }
    }
}
