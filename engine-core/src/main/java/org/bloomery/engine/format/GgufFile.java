package org.bloomery.engine.format;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** An open GGUF model of one or more files. */
final class GgufFile implements ModelFile {

    /** The data section of one file, loaded when it is first asked for. */
    interface Section extends AutoCloseable {

        /** Where it begins in the file. */
        long start();

        /** The section, read-only; always the same segment, for any thread. */
        MemorySegment bytes();

        /** Closes the file; the segment lives on. */
        @Override
        void close();
    }

    private final Path path;
    private final Metadata metadata;
    private final List<TensorInfo> tensors;
    private final Map<String, TensorInfo> byName;
    private final List<Section> sections;
    private final long fileBytes;
    private final boolean mapped;
    private final Arena arena;

    /**
     * @param tensors of all parts by name, in order; owned by this object from now on
     * @param sections the data section of each part; closed with this object
     * @param mapped whether the sections are mapped
     * @param arena what the sections live in; closed with this object
     */
    GgufFile(
            Path path,
            Metadata metadata,
            Map<String, TensorInfo> tensors,
            List<Section> sections,
            long fileBytes,
            boolean mapped,
            Arena arena) {
        this.path = path;
        this.metadata = metadata;
        this.tensors = List.copyOf(tensors.values());
        this.byName = tensors;
        this.sections = List.copyOf(sections);
        this.fileBytes = fileBytes;
        this.mapped = mapped;
        this.arena = arena;
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public List<Path> parts() {
        SplitName name = sections.size() == 1 ? null : SplitName.of(String.valueOf(path.getFileName()));
        return name == null
                ? List.of(path)
                : IntStream.range(0, sections.size())
                        .mapToObj(part -> name.part(part).beside(path))
                        .toList();
    }

    @Override
    public Metadata metadata() {
        return metadata;
    }

    @Override
    public List<TensorInfo> tensors() {
        return tensors;
    }

    @Override
    public @Nullable TensorInfo tensor(String name) {
        return byName.get(name);
    }

    @Override
    public MemorySegment data(TensorInfo tensor) {
        if (!tensor.equals(byName.get(tensor.name()))) {
            throw new IllegalArgumentException(
                    "Tensor " + Quoted.of(tensor.name()) + " is none of file " + path.getFileName());
        }
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException("Model file " + path.getFileName() + " is closed");
        }
        Section section = sections.get(tensor.part());
        return section.bytes().asSlice(tensor.offset() - section.start(), tensor.byteSize());
    }

    @Override
    public boolean mapped() {
        return mapped;
    }

    @Override
    public long fileBytes() {
        return fileBytes;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
            sections.forEach(Section::close);
        }
    }
}
