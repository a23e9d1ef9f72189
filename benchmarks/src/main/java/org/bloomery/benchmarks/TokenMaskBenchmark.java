package org.bloomery.benchmarks;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.grammar.Grammar;
import org.bloomery.engine.grammar.GrammarMatcher;
import org.bloomery.engine.grammar.Shape;
import org.bloomery.engine.grammar.TokenGrammar;
import org.bloomery.engine.grammar.TokenMask;
import org.bloomery.engine.grammar.TokenTrie;
import org.bloomery.engine.tokenizer.Tokenizer;
import org.bloomery.engine.tokenizer.Tokenizers;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a constraint adds to one step of one sequence: the mask of a place in a JSON document, found and applied to the
 * logits of the whole vocabulary. Warm, the place has been seen before under the same constraint; cold, it has not, so that
 * the vocabulary is walked. Compiling happens once a schema.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TokenMaskBenchmark {

    static final String SCHEMA = """
            {"type":"object","properties":{
              "name":{"type":"string"},
              "code":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{4}$"},
              "title":{"type":"string","maxLength":80},
              "amount":{"type":"number","minimum":0},
              "lines":{"type":"array","items":{"type":"object","properties":{
                "text":{"type":"string"},"count":{"type":"integer","minimum":1,"maximum":99}},
                "required":["text","count"]}}},
             "required":["name","code","title","amount","lines"]}""";

    /** An answer where a tool is offered: text, then the call of it, or not. */
    private static final Shape ANSWER = Shape.sequence(
            new Shape.Free("<tool_call>"),
            Shape.optional(Shape.sequence(
                    Shape.mark("<tool_call>"),
                    new Shape.Json(SCHEMA, "The schema of tool 'order'", null),
                    Shape.mark("</tool_call>"))));

    /** A file with a vocabulary, or nothing for a synthetic one of 150,000 tokens. */
    @Param("")
    public String vocabulary = "";

    /** What stands before the place, by name; {@code free} is text beside which a tool may be called. */
    @Param({"begin", "string", "pattern", "limited", "number", "nested", "free"})
    public String place = "string";

    int vocabSize = 150_000;

    private Grammar grammar = Grammar.regex("");
    private TokenTrie trie = TokenTrie.of(new SyntheticVocabulary(2_000, 1));
    private int[] before = {};
    private GrammarMatcher warm = TokenGrammar.of(grammar, trie).matcher();
    private float[] logits = {};

    @Setup
    public void prepare() {
        Tokenizer tokenizer = new SyntheticVocabulary(vocabSize, 1);
        if (!vocabulary.isEmpty()) {
            try (ModelFile file = GgufReader.open(Path.of(vocabulary), LoadMode.AUTO)) {
                tokenizer = Tokenizers.from(file.metadata());
            }
        }
        grammar = place.equals("free") ? Grammar.of(null, ANSWER) : Grammar.jsonSchema(SCHEMA);
        trie = TokenTrie.of(tokenizer);
        logits = new float[tokenizer.vocabSize()];
        before = bytes(tokenizer, text());
        warm = matcher();
        warm.mask();
    }

    private String text() {
        String code = "{\"name\":\"a\",\"code\":\"";
        String limited = code + "AB-1234\",\"title\":\"";
        String number = limited + "b\",\"amount\":1";
        return switch (place) {
            case "begin" -> "";
            case "free" -> "Let me see.";
            case "string" -> "{\"name\":\"a";
            case "pattern" -> code;
            case "limited" -> limited + "b";
            case "number" -> number;
            case "nested" -> number + ",\"lines\":[{\"text\":\"c\",\"count\":2},{\"text\":\"d";
            default -> throw new IllegalArgumentException("Unknown place '" + place + "'.");
        };
    }

    private static int[] bytes(Tokenizer tokenizer, String text) {
        byte[] wanted = text.getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[wanted.length];
        int[] byByte = new int[256];
        for (int token = tokenizer.vocabSize() - 1; token >= 0; token--) {
            byte[] bytes = tokenizer.bytes(token);
            if (bytes.length == 1) {
                byByte[bytes[0] & 0xFF] = token;
            }
        }
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = byByte[wanted[i] & 0xFF];
        }
        return tokens;
    }

    private GrammarMatcher matcher() {
        GrammarMatcher matcher = TokenGrammar.of(grammar, trie).matcher();
        for (int token : before) {
            matcher.accept(token);
        }
        return matcher;
    }

    @Benchmark
    public TokenMask warm() {
        TokenMask mask = warm.mask();
        mask.apply(logits, logits.length);
        return mask;
    }

    /** With the steps that lead to the place, byte by byte, since nothing is remembered. */
    @Benchmark
    public TokenMask cold() {
        TokenMask mask = matcher().mask();
        mask.apply(logits, logits.length);
        return mask;
    }

    @Benchmark
    public Grammar compile() {
        return Grammar.jsonSchema(SCHEMA);
    }
}
