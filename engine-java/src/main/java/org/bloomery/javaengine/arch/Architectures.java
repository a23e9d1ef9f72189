package org.bloomery.javaengine.arch;

import java.util.List;
import java.util.stream.Collectors;
import org.bloomery.engine.UnsupportedModelException;
import org.bloomery.engine.backend.LoadProgress;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.Quoted;
import org.bloomery.javaengine.cache.CacheShape;
import org.bloomery.javaengine.layer.Decoder;
import org.bloomery.javaengine.layer.Pass;

/** The list of architectures, and the way from a file to a model of one of them. */
public final class Architectures {

    private static final List<Architecture> ALL = List.of(new Llama(), new Qwen2(), new Qwen3());

    private Architectures() {}

    /**
     * A model ready to run, and what it needs for that.
     *
     * @param widths of the buffers of a pass
     * @param cacheShape what the cache keeps of a token
     */
    public record Model(Decoder decoder, Pass.Widths widths, CacheShape cacheShape, int vocabSize) {}

    /**
     * Refuses a model of an unknown architecture.
     *
     * @throws UnsupportedModelException naming the known ones
     */
    public static void check(ModelFile file) {
        of(file);
    }

    /**
     * Checks a file's hyper-parameters and tensors completely and binds the tensors; copies none of them but the small
     * ones kept as floats.
     *
     * @throws UnsupportedModelException if the architecture is unknown, or a tensor's type is not supported
     * @throws org.bloomery.engine.format.ModelFormatException naming every hyper-parameter, or else every tensor, that
     *     is wrong
     */
    public static Model load(ModelFile file, TensorBinding binding, LoadProgress progress) {
        Architecture architecture = of(file);
        HyperParameterReader reader = new HyperParameterReader(file.metadata(), architecture.name());
        HyperParameters hyper = architecture.read(reader);
        reader.refuseProblems();
        Weights weights = new Weights(file, architecture.name(), binding, progress);
        Decoder decoder = architecture.build(hyper, weights);
        weights.refuseProblems();
        return new Model(
                decoder,
                new Pass.Widths(
                        hyper.embeddingLength(),
                        hyper.queryLength(),
                        hyper.keyValueLength(),
                        hyper.feedForwardLength()),
                new CacheShape(hyper.blockCount(), hyper.kvHeadCount(), hyper.headDim()),
                hyper.vocabSize());
    }

    private static Architecture of(ModelFile file) {
        String name = file.metadata().string("general.architecture");
        for (Architecture architecture : ALL) {
            if (architecture.name().equals(name)) {
                return architecture;
            }
        }
        throw new UnsupportedModelException("Architecture " + Quoted.of(name)
                + " is not supported by the Java backend; it runs "
                + ALL.stream().map(Architecture::name).collect(Collectors.joining(", ")) + ".");
    }
}
