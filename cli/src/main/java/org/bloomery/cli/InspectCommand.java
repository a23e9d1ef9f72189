package org.bloomery.cli;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.bloomery.engine.backend.Availability;
import org.bloomery.engine.backend.BackendProvider;
import org.bloomery.engine.backend.Backends;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.engine.format.TensorType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.core.JsonGenerator;

/** What a model file holds, and what can run it. */
@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        description = "Shows what a model file holds and which backends can run it.")
final class InspectCommand implements Callable<Integer> {

    private static final int SHOWN_CHARACTERS = 100;
    private static final int SHOWN_ELEMENTS = 4;

    @Option(names = "--model", required = true, paramLabel = "FILE", description = "The model, a GGUF file.")
    Path model = Path.of("");

    @Option(names = "--tensors", description = "List every tensor.")
    boolean tensors;

    @Option(names = "--json", description = "Write one JSON object; long values are not shortened.")
    boolean json;

    @Override
    public Integer call() {
        try (ModelFile file = GgufReader.open(model, LoadMode.MAP)) {
            if (json) {
                writeJson(file);
            } else {
                writeText(file);
            }
            return 0;
        }
    }

    private void writeText(ModelFile file) {
        long parameters = 0;
        Map<TensorType, long[]> types = new EnumMap<>(TensorType.class);
        for (TensorInfo tensor : file.tensors()) {
            parameters += tensor.elements();
            long[] sums = types.computeIfAbsent(tensor.type(), type -> new long[2]);
            sums[0]++;
            sums[1] += tensor.byteSize();
        }
        System.out.printf(
                Locale.ROOT,
                "%s: %,d bytes, %d tensors, %,d parameters%n",
                file.path().getFileName(),
                file.fileBytes(),
                file.tensors().size(),
                parameters);
        types.forEach((type, sums) ->
                System.out.printf(Locale.ROOT, "  %-8s %5d tensors %,16d bytes%n", type, sums[0], sums[1]));
        for (BackendProvider provider : Backends.available()) {
            System.out.println("  backend " + provider.name() + ": " + verdict(provider, file));
        }
        System.out.println();
        for (String key : new TreeSet<>(file.metadata().keys())) {
            System.out.println(key + " = " + shortened(file.metadata().value(key)));
        }
        if (tensors) {
            System.out.println();
            for (TensorInfo tensor : file.tensors()) {
                System.out.printf("%-40s %-8s %s%n", tensor.name(), tensor.type(), tensor.shape());
            }
        }
    }

    private static String verdict(BackendProvider provider, ModelFile file) {
        return switch (provider.probe(DeviceOptions.DEFAULT)) {
            case Availability.Unavailable no -> "cannot run here: " + no.reason();
            case Availability.Available yes ->
                switch (provider.supports(file)) {
                    case Availability.Unavailable no -> "cannot run it: " + no.reason();
                    case Availability.Available can -> "can run it";
                };
        };
    }

    private static String shortened(@Nullable Object value) {
        if (value instanceof List<?> list) {
            String shown = list.stream()
                    .limit(SHOWN_ELEMENTS)
                    .map(InspectCommand::shortened)
                    .collect(Collectors.joining(", "));
            return list.size() + " elements [" + shown + (list.size() > SHOWN_ELEMENTS ? ", …]" : "]");
        }
        if (value instanceof String text) {
            String line = text.replace("\\", "\\\\")
                    .replace("\n", "\\n")
                    .replace("\r", "\\r")
                    .replace("\t", "\\t");
            return line.length() <= SHOWN_CHARACTERS
                    ? '"' + line + '"'
                    : '"' + line.substring(0, SHOWN_CHARACTERS) + "…\" (" + text.length() + " characters)";
        }
        return String.valueOf(value);
    }

    private void writeJson(ModelFile file) {
        try (JsonGenerator out = Json.toStandardOutput()) {
            out.writeStartObject();
            out.writeStringProperty("file", String.valueOf(file.path().getFileName()));
            out.writeNumberProperty("bytes", file.fileBytes());
            out.writeObjectPropertyStart("backends");
            for (BackendProvider provider : Backends.available()) {
                out.writeStringProperty(provider.name(), verdict(provider, file));
            }
            out.writeEndObject();
            out.writeObjectPropertyStart("metadata");
            for (String key : new TreeSet<>(file.metadata().keys())) {
                out.writeName(key);
                writeValue(out, file.metadata().value(key));
            }
            out.writeEndObject();
            out.writeArrayPropertyStart("tensors");
            for (TensorInfo tensor : file.tensors()) {
                out.writeStartObject();
                out.writeStringProperty("name", tensor.name());
                out.writeStringProperty("type", tensor.type().name());
                out.writeName("shape");
                writeValue(out, tensor.shape());
                out.writeNumberProperty("bytes", tensor.byteSize());
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeEndObject();
        }
        System.out.println();
    }

    private static void writeValue(JsonGenerator out, @Nullable Object value) {
        switch (value) {
            case null -> out.writeNull();
            case String text -> out.writeString(text);
            case Boolean flag -> out.writeBoolean(flag);
            case Long number -> out.writeNumber(number);
            case Double number -> writeDouble(out, number);
            case List<?> list -> {
                out.writeStartArray();
                list.forEach(element -> writeValue(out, element));
                out.writeEndArray();
            }
            default -> throw new IllegalStateException("Metadata value of " + value.getClass());
        }
    }

    /** JSON knows no infinity and no NaN: they are written as strings. */
    private static void writeDouble(JsonGenerator out, double number) {
        if (Double.isFinite(number)) {
            out.writeNumber(number);
        } else {
            out.writeString(Double.toString(number));
        }
    }
}
