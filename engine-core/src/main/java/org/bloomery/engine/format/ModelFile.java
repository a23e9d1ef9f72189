package org.bloomery.engine.format;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An open model file: typed metadata, a list of tensors, and the bytes of each. Closing it invalidates the bytes. */
public interface ModelFile extends AutoCloseable {

    /** The file, or the first part of a split model. */
    Path path();

    /** All files of the model, in order. */
    List<Path> parts();

    Metadata metadata();

    /** All tensors, in the file's order. */
    List<TensorInfo> tensors();

    /** The tensor of this name, or null. */
    @Nullable
    TensorInfo tensor(String name);

    /**
     * The bytes of a tensor of this file, exactly {@link TensorInfo#byteSize()} of them, read-only. The first call maps or
     * copies the file's tensors, so a backend that reads the file itself costs no memory here.
     *
     * @throws ModelFormatException if the file has changed since it was opened
     * @throws org.bloomery.engine.InsufficientMemoryException if a copy is larger than the memory of the machine or
     *     container
     */
    MemorySegment data(TensorInfo tensor);

    /** Whether the file may be mapped: {@link LoadMode#MAP} was asked for, or nobody else can change the file. */
    boolean mapped();

    /** Size of the file or of all parts. */
    long fileBytes();

    @Override
    void close();
}
