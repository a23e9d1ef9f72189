package org.bloomery.nativeengine.handle;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.nativeengine.binding.Llama;
import org.bloomery.nativeengine.binding.NativeLog;
import org.bloomery.nativeengine.loader.LibrarySearch;

/** A loaded llama.cpp with its devices: one a library and JVM, made once and never unloaded. */
public final class NativeRuntime {

    private static final Map<String, NativeRuntime> LOADED = new HashMap<>();
    private static final Pattern CPU_VARIANT = Pattern.compile("ggml-cpu-([A-Za-z0-9_]+)");

    private final Llama llama;
    private final NativeLog log;
    private final String cpuVariant;
    private final Map<String, List<Device>> rpcDevices = new HashMap<>();

    private NativeRuntime(LibrarySearch.Found libraries) {
        llama = Llama.load(libraries.ggml(), libraries.llama());
        log = NativeLog.of(llama);
        llama.init();
        if (llama.backendCount() == 0) {
            if (libraries.directory() != null) {
                llama.loadBackends(libraries.directory());
            } else {
                llama.loadBackends();
            }
        }
        cpuVariant = log.loaded().stream()
                .map(CPU_VARIANT::matcher)
                .filter(Matcher::find)
                .map(found -> found.group(1))
                .findFirst()
                .orElse("cpu");
        if (devices().stream().noneMatch(device -> device.kind() == Device.Kind.CPU)) {
            throw new InvalidOptionException("The llama.cpp of " + libraries.llama()
                    + " has no backend for this CPU; install its libggml-cpu libraries beside it.");
        }
    }

    /**
     * Loads the libraries, or gives what was loaded from there before.
     *
     * @throws InvalidOptionException if they cannot be loaded, are of another release, or cannot use this CPU
     */
    public static NativeRuntime of(LibrarySearch.Found libraries) {
        synchronized (LOADED) {
            NativeRuntime runtime = LOADED.get(libraries.llama());
            if (runtime == null) {
                runtime = new NativeRuntime(libraries);
                LOADED.put(libraries.llama(), runtime);
            }
            return runtime;
        }
    }

    Llama llama() {
        return llama;
    }

    NativeLog log() {
        return log;
    }

    /** The release that was loaded. */
    public String version() {
        return llama.version();
    }

    /** The build of the CPU's kernels that was chosen, such as {@code zen4}. */
    public String cpuVariant() {
        return cpuVariant;
    }

    /** All devices of this machine, with their memory at this moment. */
    public List<Device> devices() {
        List<Device> devices = new ArrayList<>();
        for (long i = 0; i < llama.deviceCount(); i++) {
            devices.add(Device.of(llama, llama.device(i)));
        }
        return devices;
    }

    /** Whether the library can use devices of other machines. */
    public boolean hasRpc() {
        return llama.hasBackend("RPC");
    }

    /**
     * The devices of an RPC server.
     *
     * @throws InvalidOptionException if there is no RPC backend or no answer
     */
    public List<Device> rpcDevices(String server) {
        synchronized (rpcDevices) {
            return rpcDevices.computeIfAbsent(
                    server,
                    name -> llama.addRpcServer(name).stream()
                            .map(pointer -> Device.of(llama, pointer))
                            .toList());
        }
    }
}
