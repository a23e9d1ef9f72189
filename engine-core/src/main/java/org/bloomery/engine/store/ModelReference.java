package org.bloomery.engine.store;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.ModelNotFoundException;
import org.jspecify.annotations.Nullable;

/**
 * A model as a user names it: a path, a {@code file:} URI, or a {@code classpath:} resource. Parsing checks the form
 * only; {@link #resolve} looks for the file. Nothing is ever downloaded.
 */
public final class ModelReference {

    private static final int LONGEST = 4096;
    private static final int MOST_PARTS = 1000;
    private static final int MOST_LISTED = 5;
    private static final int MOST_SCANNED = 1000;

    // One letter before the colon is a Windows drive
    private static final Pattern SCHEME = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]+\\*?):(.*)", Pattern.DOTALL);
    private static final Pattern PART = Pattern.compile("(.*)-([0-9]{5})-of-([0-9]{5})\\.gguf", Pattern.DOTALL);
    private static final Set<String> REMOTE =
            Set.of("http", "https", "hf", "huggingface", "oci", "docker", "ollama", "s3", "gs", "ftp");

    private final String location;
    /** The file, or null for a resource. */
    private final @Nullable Path file;
    /** Name of the resource without a leading slash, or empty for a file. */
    private final String resource;

    private ModelReference(String location, @Nullable Path file, String resource) {
        this.location = location;
        this.file = file;
        this.resource = resource;
    }

    /**
     * Reads what a user wrote.
     *
     * @throws InvalidOptionException if it is no path and no URI of a known form
     * @throws ModelNotFoundException if it names a model in the network, which this version does not download
     */
    public static ModelReference parse(String location) {
        if (location.isBlank()) {
            throw new InvalidOptionException(
                    "Option 'model' is empty; expected a path, a file: URI or a classpath: resource.");
        }
        if (location.length() > LONGEST || location.chars().anyMatch(Character::isISOControl)) {
            throw new InvalidOptionException("Option 'model' has " + location.length()
                    + " characters, perhaps control characters among them; expected at most " + LONGEST
                    + " without any.");
        }
        Matcher scheme = SCHEME.matcher(location);
        if (!scheme.matches()) {
            return new ModelReference(location, path(location, location), "");
        }
        String name = scheme.group(1).toLowerCase(Locale.ROOT);
        String rest = scheme.group(2);
        if (name.equals("file")) {
            return new ModelReference(location, fileUri(location, rest), "");
        }
        if (name.equals("classpath")) {
            return new ModelReference(location, null, resource(location, rest));
        }
        if (REMOTE.contains(name)) {
            throw new ModelNotFoundException("Model '" + location + "' is not on this machine and this version does not"
                    + " download models; fetch the GGUF file yourself and name its path.");
        }
        throw new InvalidOptionException("Option 'model' is '" + location + "', whose scheme '" + scheme.group(1)
                + ":' is not known; expected a path, a file: URI or a classpath: resource (write './' before a path with"
                + " a colon in its first name).");
    }

    /**
     * Finds the file. A resource that is a file on its own is used where it lies; one inside an archive, also a nested
     * one, is copied to a temporary folder that only this user can read, all parts of it where the model is split.
     *
     * @param loader whose class path is searched
     * @return the file, to be closed after the model file
     * @throws ModelNotFoundException naming the location, and what else is there
     */
    public ResolvedModel resolve(ClassLoader loader) {
        if (file != null) {
            return ResolvedModel.inPlace(existing(file));
        }
        URL url = loader.getResource(resource);
        if (url == null) {
            throw new ModelNotFoundException("Model '" + location + "' is not on the class path; check the name of the"
                    + " resource '" + resource + "' and that it is packaged with the application.");
        }
        if (url.getProtocol().equals("file")) {
            try {
                return ResolvedModel.inPlace(existing(Path.of(url.toURI())));
            } catch (URISyntaxException | IllegalArgumentException e) {
                throw new ModelNotFoundException("Model '" + location + "' cannot be located at " + url + ".", e);
            }
        }
        return copy(loader, url);
    }

    /** The location as the user wrote it. */
    @Override
    public String toString() {
        return location;
    }

    private static Path path(String location, String path) {
        try {
            return Path.of(path);
        } catch (InvalidPathException e) {
            throw new InvalidOptionException(
                    "Option 'model' is '" + location + "', which is no path here: " + e.getReason() + ".", e);
        }
    }

    private static Path fileUri(String location, String rest) {
        // 'file:model.gguf' and 'file:./model.gguf' are no hierarchical URIs, but common
        if (!rest.startsWith("/")) {
            if (rest.isBlank()) {
                throw new InvalidOptionException("Option 'model' is '" + location + "', which names no file.");
            }
            return path(location, rest);
        }
        try {
            URI uri = new URI("file:" + rest);
            if ("localhost".equalsIgnoreCase(uri.getAuthority())) {
                uri = new URI("file", null, uri.getPath(), uri.getQuery(), uri.getFragment());
            }
            return Path.of(uri);
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new InvalidOptionException(
                    "Option 'model' is '" + location + "', which is no URI of a local file ("
                            + printable(String.valueOf(e.getMessage()))
                            + "); write file:///folder/model.gguf with special characters percent-encoded, or a path.",
                    e);
        }
    }

    private static String resource(String location, String rest) {
        String resource = rest.startsWith("/") ? rest.substring(1) : rest;
        for (String name : resource.split("/", -1)) {
            if (name.isEmpty() || name.equals(".") || name.equals("..") || name.indexOf('\\') >= 0) {
                throw new InvalidOptionException("Option 'model' is '" + location
                        + "', which is no name of a resource; expected classpath:folder/model.gguf.");
            }
        }
        return resource;
    }

    private Path existing(Path path) {
        if (Files.isRegularFile(path)) {
            return path;
        }
        String at = path.isAbsolute() ? "" : " (at " + path.toAbsolutePath() + ")";
        if (Files.isDirectory(path)) {
            throw new ModelNotFoundException(
                    "Model '" + location + "'" + at + " is a folder; name one of its files: " + listing(path) + ".");
        }
        if (Files.exists(path)) {
            throw new ModelNotFoundException(
                    "Model '" + location + "'" + at + " is no regular file; name a GGUF file.");
        }
        Path folder = path.toAbsolutePath().getParent();
        String hint;
        if (location.startsWith("~")) {
            hint = "'~' is not expanded here, so write the home folder out";
        } else if (folder == null || !Files.isDirectory(folder)) {
            hint = "its folder does not exist either, so check the path";
        } else {
            hint = "check the name; its folder has " + listing(folder);
        }
        throw new ModelNotFoundException("Model '" + location + "'" + at + " is not there; " + hint + ".");
    }

    /** A few of the GGUF files in a folder, without later parts of split models. */
    private static String listing(Path folder) {
        List<String> names = new ArrayList<>();
        int scanned = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path entry : files) {
                if (++scanned > MOST_SCANNED) {
                    break;
                }
                String name = String.valueOf(entry.getFileName());
                Matcher part = PART.matcher(name);
                boolean later = part.matches() && Integer.parseInt(part.group(2)) > 1;
                if (name.toLowerCase(Locale.ROOT).endsWith(".gguf") && !later && Files.isRegularFile(entry)) {
                    names.add(printable(name));
                }
            }
        } catch (IOException e) {
            return "files that cannot be listed";
        }
        if (names.isEmpty()) {
            return "no GGUF file";
        }
        names.sort(null);
        String listed = String.join(", ", names.subList(0, Math.min(MOST_LISTED, names.size())));
        return names.size() <= MOST_LISTED ? listed : listed + " and " + (names.size() - MOST_LISTED) + " more";
    }

    private static String printable(String name) {
        StringBuilder printable = new StringBuilder();
        name.chars().forEach(c -> printable.append(Character.isISOControl(c) ? '?' : (char) c));
        return printable.toString();
    }

    private ResolvedModel copy(ClassLoader loader, URL first) {
        List<Path> temporary = new ArrayList<>();
        boolean copied = false;
        try {
            Path folder = Files.createTempDirectory("bloomery-model-", permissions("rwx------"));
            temporary.add(folder);
            folder.toFile().deleteOnExit();
            Path path = copy(resource, first, folder, temporary);
            Matcher part = PART.matcher(resource);
            if (part.matches()) {
                int count = Integer.parseInt(part.group(3));
                for (int i = 2; i <= Math.min(count, MOST_PARTS); i++) {
                    String name = String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", part.group(1), i, count);
                    URL url = loader.getResource(name);
                    if (url != null) {
                        copy(name, url, folder, temporary);
                    }
                }
            }
            copied = true;
            return ResolvedModel.copied(path, temporary);
        } catch (IOException e) {
            throw new ModelNotFoundException(
                    "Model '" + location + "' cannot be copied from " + first + " to a temporary file ("
                            + e.getMessage()
                            + "); check the space in " + System.getProperty("java.io.tmpdir", "the temporary folder")
                            + ", or put the model beside the application and name its path.",
                    e);
        } finally {
            if (!copied) {
                ResolvedModel.delete(temporary);
            }
        }
    }

    /** The model file's reader checks the content; the copy only has to be private from its first byte on. */
    private static Path copy(String resource, URL url, Path folder, List<Path> temporary) throws IOException {
        Path target = folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
        URLConnection connection = url.openConnection();
        // A cached connection would keep the archive open
        connection.setUseCaches(false);
        try (InputStream in = connection.getInputStream();
                FileChannel out = FileChannel.open(
                        target,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        permissions("rw-------"))) {
            temporary.add(target);
            target.toFile().deleteOnExit();
            in.transferTo(Channels.newOutputStream(out));
        }
        return target;
    }

    private static FileAttribute<?>[] permissions(String posix) {
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(posix))}
                : new FileAttribute<?>[0];
    }
}
