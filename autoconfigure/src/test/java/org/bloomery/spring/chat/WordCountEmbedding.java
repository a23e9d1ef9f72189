package org.bloomery.spring.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;

/** Counts words by their hashes: texts with the same words are near each other, which is all that a test of retrieval needs. */
final class WordCountEmbedding implements EmbeddingModel {

    private static final int DIMENSIONS = 512;

    @Override
    public EmbeddingResponse call(EmbeddingRequest request) {
        List<Embedding> embeddings = new ArrayList<>();
        for (String text : request.getInstructions()) {
            embeddings.add(new Embedding(counts(text), embeddings.size()));
        }
        return new EmbeddingResponse(embeddings);
    }

    @Override
    public float[] embed(Document document) {
        return counts(String.valueOf(document.getText()));
    }

    @Override
    public int dimensions() {
        return DIMENSIONS;
    }

    /** Of length 1, and never of zeros alone. */
    private static float[] counts(String text) {
        float[] counts = new float[DIMENSIONS];
        for (String word : text.toLowerCase(Locale.ROOT).split("\\W+")) {
            counts[Math.floorMod(word.hashCode(), DIMENSIONS)]++;
        }
        double squares = 0;
        for (float count : counts) {
            squares += count * count;
        }
        for (int i = 0; i < DIMENSIONS; i++) {
            counts[i] /= (float) Math.sqrt(squares);
        }
        return counts;
    }
}
