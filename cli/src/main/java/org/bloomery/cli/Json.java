package org.bloomery.cli;

import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Writes JSON to standard output, piece by piece, so that large results take no memory. */
final class Json {

    private Json() {}

    /** A generator to be closed by the caller; standard output stays open. */
    static JsonGenerator toStandardOutput() {
        OutputStream out = new BufferedOutputStream(new FilterOutputStream(System.out) {
            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                out.write(bytes, offset, length);
            }

            @Override
            public void close() throws IOException {
                flush();
            }
        });
        return new JsonFactory().createGenerator(ObjectWriteContext.empty(), out);
    }
}
