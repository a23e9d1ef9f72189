package org.bloomery.spring.autoconfigure;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.bloomery.engine.ModelNotFoundException;
import org.springframework.core.io.FileSystemResource;
import org.springframework.core.io.Resource;
import org.springframework.core.io.ResourceLoader;

/** Where a model is, as a local file. */
final class ModelLocation {

    private ModelLocation() {}

    /** @throws ModelNotFoundException if there is nothing to read at the location */
    static Path resolve(String location, ResourceLoader resources) {
        Resource resource = location.startsWith("classpath:") || location.startsWith("file:")
                ? resources.getResource(location)
                : new FileSystemResource(location);
        if (location.isBlank() || !resource.isReadable()) {
            throw new ModelNotFoundException("No model can be read at '" + location + "'.");
        }
        try {
            if (resource.isFile()) {
                return resource.getFile().toPath();
            }
            Path copy = Files.createTempFile("bloomery-", ".gguf");
            copy.toFile().deleteOnExit();
            try (InputStream in = resource.getInputStream()) {
                Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
            }
            return copy;
        } catch (IOException e) {
            throw new ModelNotFoundException("The model at '" + location + "' cannot be read: " + e.getMessage(), e);
        }
    }
}
