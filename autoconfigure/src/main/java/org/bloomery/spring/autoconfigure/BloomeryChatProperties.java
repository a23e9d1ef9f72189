package org.bloomery.spring.autoconfigure;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bloomery.engine.chat.Thinking;
import org.bloomery.spring.chat.BloomeryChatOptions;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The chat model and what a prompt without options gets.
 *
 * @param model Location of the GGUF model: a path, a file: URI or a classpath: resource. Without it there is no chat
 *     model.
 * @param maxTokens Most tokens to generate, at least 1. Unless set, the smaller of 1,024 and what the context has left.
 * @param temperature Randomness, 0 to 10. 0 always takes the most probable token.
 * @param topK Keep the k most probable tokens. 0 keeps all.
 * @param topP Keep the smallest set of tokens with this total probability, 0 to 1. 1 keeps all.
 * @param minP Keep tokens with at least this share of the best one's probability, 0 to 1. 0 keeps all.
 * @param typicalP Total probability of locally typical sampling, 0 to 1. 1 keeps all.
 * @param seed What makes answers repeatable. Unless set, every answer has a random one.
 * @param penaltyLastN Tokens that the repeat, frequency and presence penalties look back on. -1 for the whole context, 0
 *     for none.
 * @param repeatPenalty Divides positive logits of seen tokens and multiplies negative ones, 0.1 to 10. 1 is neutral.
 * @param frequencyPenalty Taken off a token's logit for each time it was seen, -2 to 2. 0 is neutral.
 * @param presencePenalty Taken off the logit of every token seen, -2 to 2. 0 is neutral.
 * @param dryMultiplier Strength of the DRY penalty on continued repetitions, 0 to 10. 0 switches it off.
 * @param dryBase Growth of the DRY penalty with the repetition's length, 1 to 10.
 * @param dryAllowedLength Longest repetition that DRY does not penalise, 1 to 1,024.
 * @param dryPenaltyLastN Tokens that DRY looks back on. -1 for the whole context, 0 for none.
 * @param drySequenceBreakers Strings that end a repetition for DRY, at most 32 of 1 to 64 characters. Unless set, line
 *     feed, colon, double quote and asterisk.
 * @param xtcProbability Probability of excluding the top choices (XTC), 0 to 1. 0 switches it off.
 * @param xtcThreshold Probability from which a token is a top choice for XTC, 0 to 1. Above 0.5 there is no effect.
 * @param logitBias Added to the logits of these token ids, -100 to 100.
 * @param textBias Added to the logits of the tokens of these texts, -100 to 100. Put a text in square brackets.
 * @param toolChoice Whether the model calls the tools that a request offers: auto, none, required, or the name of a tool.
 * @param thinking Whether the model thinks before it answers. auto leaves it to the model and its template.
 * @param thinkingBudget Most tokens of thinking, after which the model is made to answer. Unless set, no limit.
 * @param stop Strings that end an answer and are not part of it, at most 16 of 1 to 256 characters.
 * @param timeout Most time an answer may take. Unless set, bloomery.engine.timeout.
 * @param logProbabilities How many best alternatives to report for each token, 0 to 20. Unless set, nothing is reported.
 * @param templateArguments Extra variables for the chat template, such as enable-thinking. A hyphen in a name stands for
 *     an underscore; true, false and whole numbers are passed as such.
 */
@ConfigurationProperties(BloomeryChatProperties.PREFIX)
public record BloomeryChatProperties(
        @Nullable String model,
        @Nullable Integer maxTokens,
        @DefaultValue("0.8") double temperature,
        @DefaultValue("40") int topK,
        @DefaultValue("0.95") double topP,
        @DefaultValue("0.05") double minP,
        @DefaultValue("1.0") double typicalP,
        @Nullable Long seed,
        @DefaultValue("64") int penaltyLastN,
        @DefaultValue("1.0") double repeatPenalty,
        @DefaultValue("0.0") double frequencyPenalty,
        @DefaultValue("0.0") double presencePenalty,
        @DefaultValue("0.0") double dryMultiplier,
        @DefaultValue("1.75") double dryBase,
        @DefaultValue("2") int dryAllowedLength,
        @DefaultValue("-1") int dryPenaltyLastN,
        @Nullable List<String> drySequenceBreakers,
        @DefaultValue("0.0") double xtcProbability,
        @DefaultValue("0.1") double xtcThreshold,
        @DefaultValue Map<Integer, Double> logitBias,
        @DefaultValue Map<String, Double> textBias,
        @DefaultValue("auto") String toolChoice,
        @DefaultValue("auto") Thinking.Mode thinking,
        @Nullable Integer thinkingBudget,
        @DefaultValue List<String> stop,
        @Nullable Duration timeout,
        @Nullable Integer logProbabilities,
        @DefaultValue Map<String, Object> templateArguments) {

    static final String PREFIX = "bloomery.chat";

    /**
     * What a prompt without options gets.
     *
     * @throws org.bloomery.engine.InvalidOptionException naming the property, its value and its range
     */
    BloomeryChatOptions toOptions() {
        return OptionNames.under(
                PREFIX,
                () -> BloomeryChatOptions.builder()
                        .maxTokens(maxTokens)
                        .temperature(temperature)
                        .topK(topK)
                        .topP(topP)
                        .minP(minP)
                        .typicalP(typicalP)
                        .seed(seed)
                        .penaltyLastN(penaltyLastN)
                        .repeatPenalty(repeatPenalty)
                        .frequencyPenalty(frequencyPenalty)
                        .presencePenalty(presencePenalty)
                        .dryMultiplier(dryMultiplier)
                        .dryBase(dryBase)
                        .dryAllowedLength(dryAllowedLength)
                        .dryPenaltyLastN(dryPenaltyLastN)
                        .drySequenceBreakers(drySequenceBreakers)
                        .xtcProbability(xtcProbability)
                        .xtcThreshold(xtcThreshold)
                        .logitBias(logitBias)
                        .textBias(textBias)
                        .toolChoice(toolChoice)
                        .thinking(thinking)
                        .thinkingBudget(thinkingBudget)
                        .stopSequences(stop)
                        .timeout(timeout)
                        .logProbabilities(logProbabilities)
                        .templateArguments(variables())
                        .build());
    }

    /** Property files have only text, and no underscore survives in the key of a map. */
    private Map<String, Object> variables() {
        Map<String, Object> variables = new HashMap<>();
        templateArguments.forEach((name, value) -> variables.put(name.replace('-', '_'), typed(value)));
        return variables;
    }

    private static Object typed(Object value) {
        if (value instanceof String text) {
            if (text.equals("true") || text.equals("false")) {
                return Boolean.valueOf(text);
            }
            if (text.matches("-?\\d{1,18}")) {
                return Long.valueOf(text);
            }
        }
        return value;
    }
}
