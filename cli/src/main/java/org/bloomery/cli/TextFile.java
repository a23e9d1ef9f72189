package org.bloomery.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.bloomery.engine.EngineException;

/** Reads a text file whole, as it stands: no line ending is changed, nothing is trimmed. */
final class TextFile {

    private TextFile() {}

    /** @throws EngineException if the file is missing, cannot be read or is no UTF-8 */
    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new EngineException("File " + file + " does not exist; name one that does.", e);
        } catch (CharacterCodingException e) {
            throw new EngineException("File " + file + " is no UTF-8 text; convert it first.", e);
        } catch (IOException e) {
            throw new UncheckedIOException("File " + file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
