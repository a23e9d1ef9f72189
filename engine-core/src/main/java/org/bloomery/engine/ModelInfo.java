package org.bloomery.engine;

import org.jspecify.annotations.Nullable;

/**
 * What the model file says of itself.
 *
 * @param name {@code general.name}, or the file's name without its ending
 * @param architecture {@code general.architecture}
 * @param parameters number of weights
 * @param quantization the type that most weights have, such as {@code Q8_0}
 * @param fileBytes size of the file or of all parts
 * @param trainedContextLength tokens the model was trained for
 * @param contextLength tokens a conversation may hold here
 * @param vocabSize number of token ids
 * @param chatTemplate whether the model has a chat template
 * @param templateHash SHA-256 of the chat template in hexadecimal, or null where there is none
 */
public record ModelInfo(
        String name,
        String architecture,
        long parameters,
        String quantization,
        long fileBytes,
        int trainedContextLength,
        int contextLength,
        int vocabSize,
        boolean chatTemplate,
        @Nullable String templateHash) {}
