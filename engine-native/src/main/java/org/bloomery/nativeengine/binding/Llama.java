package org.bloomery.nativeengine.binding;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.bloomery.engine.InvalidOptionException;

/**
 * The functions of one loaded llama.cpp, each bound once. It is never unloaded, since its threads and its log may outlive
 * any model. Pointers are {@link MemorySegment}s of no size; who calls owns what they point to, and checks every number
 * before it comes here, because an assertion of native code ends the process.
 */
public final class Llama {

    /** The releases whose headers this package mirrors, which are alike in all that is used; the first is preferred. */
    public static final List<String> VERSIONS = List.of("0.5.0", "0.4.0");

    public static final int SPLIT_MODE_NONE = 0;
    public static final int SPLIT_MODE_LAYER = 1;
    public static final int SPLIT_MODE_ROW = 2;

    public static final int LOAD_MODE_NONE = 0;
    public static final int LOAD_MODE_MMAP = 1;

    public static final int LAZY_MODE_OFF = 0;

    public static final int FLASH_ATTENTION_AUTO = -1;
    public static final int FLASH_ATTENTION_OFF = 0;
    public static final int FLASH_ATTENTION_ON = 1;

    public static final int TYPE_F32 = 0;
    public static final int TYPE_F16 = 1;
    public static final int TYPE_Q4_0 = 2;
    public static final int TYPE_Q8_0 = 8;

    public static final int DEVICE_CPU = 0;
    public static final int DEVICE_GPU = 1;
    public static final int DEVICE_INTEGRATED_GPU = 2;
    public static final int DEVICE_ACCELERATOR = 3;

    static final int OVERRIDE_INT = 0;
    static final int OVERRIDE_STRING = 3;

    /** No more than this is read of a text that native code points to. */
    private static final long MOST_TEXT = 1 << 16;

    private static final Linker LINKER = Linker.nativeLinker();

    /** Defaults of v0.5.0 that are unlike zero: what lies elsewhere in the struct would not be there. */
    static final Map<String, Object> MODEL_DEFAULTS = Map.of(
            "devices",
            0L,
            "n_gpu_layers",
            -1,
            "split_mode",
            SPLIT_MODE_LAYER,
            "load_mode",
            -1,
            "lazy_mode",
            1,
            "tensor_split",
            0L,
            "kv_overrides",
            0L,
            "vocab_only",
            false,
            "use_extra_bufts",
            true,
            "load_mtp",
            false);

    private static final Map<String, Object> CONTEXT_DEFAULTS = Map.ofEntries(
            Map.entry("n_ctx", 512),
            Map.entry("n_batch", 2048),
            Map.entry("n_ubatch", 512),
            Map.entry("n_seq_max", 1),
            Map.entry("n_outputs_max", 0),
            Map.entry("n_outputs_max_per_seq", 1),
            Map.entry("flash_attn_type", FLASH_ATTENTION_AUTO),
            Map.entry("yarn_ext_factor", -1f),
            Map.entry("defrag_thold", -1f),
            Map.entry("cb_eval", 0L),
            Map.entry("type_k", TYPE_F16),
            Map.entry("type_v", TYPE_F16),
            Map.entry("abort_callback", 0L),
            Map.entry("embeddings", false),
            Map.entry("offload_kqv", true),
            Map.entry("no_perf", true),
            Map.entry("op_offload", true),
            Map.entry("swa_full", true),
            Map.entry("kv_unified", false),
            Map.entry("samplers", 0L),
            Map.entry("n_samplers", 0L),
            Map.entry("ctx_other", 0L));

    private final SymbolLookup symbols;

    private final MethodHandle version;
    private final MethodHandle backendInit;
    private final MethodHandle logSet;
    private final MethodHandle modelDefaultParams;
    private final MethodHandle contextDefaultParams;
    private final MethodHandle maxDevices;
    private final MethodHandle modelLoadFromSplits;
    private final MethodHandle modelFree;
    private final MethodHandle modelGetVocab;
    private final MethodHandle vocabTokens;
    private final MethodHandle modelIsRecurrent;
    private final MethodHandle modelIsHybrid;
    private final MethodHandle initFromModel;
    private final MethodHandle free;
    private final MethodHandle getMemory;
    private final MethodHandle memorySeqRemove;
    private final MethodHandle memorySeqCopy;
    private final MethodHandle decode;
    private final MethodHandle getLogits;
    private final MethodHandle loadBackends;
    private final MethodHandle loadBackendsFrom;
    private final MethodHandle registrations;
    private final MethodHandle registrationByName;
    private final MethodHandle procAddress;
    private final MethodHandle registrationDevices;
    private final MethodHandle registrationDevice;
    private final MethodHandle deviceCount;
    private final MethodHandle device;
    private final MethodHandle deviceName;
    private final MethodHandle deviceDescription;
    private final MethodHandle deviceMemory;
    private final MethodHandle deviceType;

    private final String foundVersion;

    private Llama(SymbolLookup symbols) {
        this.symbols = symbols;
        version = bind("llama_version", FunctionDescriptor.of(ADDRESS));
        backendInit = bind("llama_backend_init", FunctionDescriptor.ofVoid());
        logSet = bind("llama_log_set", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS));
        modelDefaultParams = bind("llama_model_default_params", FunctionDescriptor.of(Layouts.MODEL_PARAMS));
        contextDefaultParams = bind("llama_context_default_params", FunctionDescriptor.of(Layouts.CONTEXT_PARAMS));
        maxDevices = bind("llama_max_devices", FunctionDescriptor.of(JAVA_LONG));
        modelLoadFromSplits = bind(
                "llama_model_load_from_splits",
                FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, Layouts.MODEL_PARAMS));
        modelFree = bind("llama_model_free", FunctionDescriptor.ofVoid(ADDRESS));
        modelGetVocab = bind("llama_model_get_vocab", FunctionDescriptor.of(ADDRESS, ADDRESS));
        vocabTokens = bind("llama_vocab_n_tokens", FunctionDescriptor.of(JAVA_INT, ADDRESS));
        modelIsRecurrent = bind("llama_model_is_recurrent", FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS));
        modelIsHybrid = bind("llama_model_is_hybrid", FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS));
        initFromModel = bind("llama_init_from_model", FunctionDescriptor.of(ADDRESS, ADDRESS, Layouts.CONTEXT_PARAMS));
        free = bind("llama_free", FunctionDescriptor.ofVoid(ADDRESS));
        getMemory = bind("llama_get_memory", FunctionDescriptor.of(ADDRESS, ADDRESS));
        memorySeqRemove =
                bind("llama_memory_seq_rm", FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT));
        memorySeqCopy =
                bind("llama_memory_seq_cp", FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
        decode = bind("llama_decode", FunctionDescriptor.of(JAVA_INT, ADDRESS, Layouts.BATCH));
        getLogits = bind("llama_get_logits_ith", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
        loadBackends = bind("ggml_backend_load_all", FunctionDescriptor.ofVoid());
        loadBackendsFrom = bind("ggml_backend_load_all_from_path", FunctionDescriptor.ofVoid(ADDRESS));
        registrations = bind("ggml_backend_reg_count", FunctionDescriptor.of(JAVA_LONG));
        registrationByName = bind("ggml_backend_reg_by_name", FunctionDescriptor.of(ADDRESS, ADDRESS));
        procAddress = bind("ggml_backend_reg_get_proc_address", FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS));
        registrationDevices = bind("ggml_backend_reg_dev_count", FunctionDescriptor.of(JAVA_LONG, ADDRESS));
        registrationDevice = bind("ggml_backend_reg_dev_get", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG));
        deviceCount = bind("ggml_backend_dev_count", FunctionDescriptor.of(JAVA_LONG));
        device = bind("ggml_backend_dev_get", FunctionDescriptor.of(ADDRESS, JAVA_LONG));
        deviceName = bind("ggml_backend_dev_name", FunctionDescriptor.of(ADDRESS, ADDRESS));
        deviceDescription = bind("ggml_backend_dev_description", FunctionDescriptor.of(ADDRESS, ADDRESS));
        deviceMemory = bind("ggml_backend_dev_memory", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS));
        deviceType = bind("ggml_backend_dev_type", FunctionDescriptor.of(JAVA_INT, ADDRESS));
        foundVersion = text((MemorySegment) call(version));
    }

    /**
     * Loads the libraries and checks that they are of the release that this package mirrors.
     *
     * @param ggml path or name of libggml, loaded first
     * @param llama path or name of libllama
     * @throws InvalidOptionException if they cannot be loaded, lack a function, or are of another release
     */
    public static Llama load(String ggml, String llama) {
        lookup(ggml);
        SymbolLookup symbols = lookup(llama);
        Llama library;
        try {
            library = new Llama(symbols);
        } catch (NoSuchElementException e) {
            throw new InvalidOptionException(
                    "The library " + llama + " has no function " + e.getMessage() + ", which llama.cpp " + releases()
                            + " has; install that release.",
                    e);
        }
        library.checkRelease(llama);
        return library;
    }

    private static SymbolLookup lookup(String library) {
        try {
            Path path = Path.of(library);
            return path.isAbsolute()
                    ? SymbolLookup.libraryLookup(path, Arena.global())
                    : SymbolLookup.libraryLookup(library, Arena.global());
        } catch (IllegalArgumentException e) {
            throw new InvalidOptionException(
                    "The library " + library + " cannot be loaded; check that it is there, is built for this system,"
                            + " and that the libraries it needs are installed (such as CUDA's for a CUDA build).",
                    e);
        }
    }

    private static String releases() {
        return String.join(" or ", VERSIONS);
    }

    private MethodHandle bind(String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(symbols.find(name).orElseThrow(() -> new NoSuchElementException(name)), type);
    }

    private void checkRelease(String library) {
        requireRelease(library, foundVersion);
        try (Arena arena = Arena.ofConfined()) {
            requireDefaults(library, modelDefaults(arena), Layouts.MODEL_PARAMS, MODEL_DEFAULTS);
            requireDefaults(library, contextDefaults(arena), Layouts.CONTEXT_PARAMS, CONTEXT_DEFAULTS);
        }
    }

    static void requireRelease(String library, String foundVersion) {
        // Builds from a release's sources outside its repository call themselves so
        if (!VERSIONS.contains(foundVersion.replaceFirst("-dev$", ""))) {
            throw new InvalidOptionException("The library " + library + " is llama.cpp " + foundVersion
                    + "; install release " + releases() + ", whose structures this version of Bloomery knows.");
        }
    }

    static void requireDefaults(
            String library, MemorySegment struct, StructLayout layout, Map<String, Object> expected) {
        Map<String, String> differences = new LinkedHashMap<>();
        expected.forEach((field, value) -> {
            Object found = Layouts.get(struct, layout, field);
            if (!found.equals(value)) {
                differences.put(field, found + " instead of " + value);
            }
        });
        if (!differences.isEmpty()) {
            throw new InvalidOptionException(
                    "The library " + library + " calls itself a known release, but defaults of its "
                            + layout.name().orElse("structure") + " differ: " + differences
                            + "; install an unchanged release.");
        }
    }

    /** The release of the loaded library. */
    public String version() {
        return foundVersion;
    }

    /** Prepares the library; more than once does no harm. */
    public void init() {
        call(backendInit);
    }

    /** Where the log goes from now on: a stub of {@link NativeLog}. */
    void logTo(MemorySegment callback) {
        call(logSet, callback, MemorySegment.NULL);
    }

    /** Registers the backends that lie in a folder, choosing the best variant of each. */
    public void loadBackends(Path folder) {
        try (Arena arena = Arena.ofConfined()) {
            call(loadBackendsFrom, arena.allocateFrom(folder.toString()));
        }
    }

    /** Registers the backends that lie beside the library or where the system looks. */
    public void loadBackends() {
        call(loadBackends);
    }

    /** Backends registered so far. */
    public long backendCount() {
        return (long) call(registrations);
    }

    // Devices

    public long deviceCount() {
        return (long) call(deviceCount);
    }

    /** The device of this number, below {@link #deviceCount}. */
    public MemorySegment device(long index) {
        return (MemorySegment) call(device, index);
    }

    public String deviceName(MemorySegment device) {
        return text((MemorySegment) call(deviceName, device));
    }

    public String deviceDescription(MemorySegment device) {
        return text((MemorySegment) call(deviceDescription, device));
    }

    public int deviceType(MemorySegment device) {
        return (int) call(deviceType, device);
    }

    /** Bytes free and in total. */
    public long[] deviceMemory(MemorySegment device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment free = arena.allocate(JAVA_LONG);
            MemorySegment total = arena.allocate(JAVA_LONG);
            call(deviceMemory, device, free, total);
            return new long[] {free.get(JAVA_LONG, 0), total.get(JAVA_LONG, 0)};
        }
    }

    /** Most entries of a tensor split. */
    public long maxDevices() {
        return (long) call(maxDevices);
    }

    /** Whether the library has a backend of this name, such as {@code RPC}. */
    public boolean hasBackend(String name) {
        try (Arena arena = Arena.ofConfined()) {
            return !isNull((MemorySegment) call(registrationByName, arena.allocateFrom(name)));
        }
    }

    /**
     * Connects to an RPC server; its devices are registered.
     *
     * @param server {@code host:port}
     * @return its devices
     * @throws InvalidOptionException if the library has no RPC backend or the server does not answer
     */
    public List<MemorySegment> addRpcServer(String server) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment rpc = (MemorySegment) call(registrationByName, arena.allocateFrom("RPC"));
            MemorySegment function = isNull(rpc)
                    ? MemorySegment.NULL
                    : (MemorySegment) call(procAddress, rpc, arena.allocateFrom("ggml_backend_rpc_add_server"));
            if (isNull(function)) {
                throw new InvalidOptionException("Option 'rpc-servers' names " + server
                        + ", but the loaded llama.cpp was built without its RPC backend; leave the option out, or set"
                        + " library-path to a build that has it.");
            }
            MethodHandle addServer = LINKER.downcallHandle(function, FunctionDescriptor.of(ADDRESS, ADDRESS));
            // The server's name is kept by its devices
            MemorySegment registration =
                    (MemorySegment) call(addServer, Arena.global().allocateFrom(server));
            if (isNull(registration)) {
                throw new InvalidOptionException("Option 'rpc-servers' names " + server
                        + ", which does not answer; check that the server runs and is of release " + foundVersion
                        + ".");
            }
            List<MemorySegment> devices = new ArrayList<>();
            long count = (long) call(registrationDevices, registration);
            for (long i = 0; i < count; i++) {
                devices.add((MemorySegment) call(registrationDevice, registration, i));
            }
            return devices;
        }
    }

    // Models

    MemorySegment modelDefaults(SegmentAllocator arena) {
        return (MemorySegment) call(modelDefaultParams, arena);
    }

    MemorySegment contextDefaults(SegmentAllocator arena) {
        return (MemorySegment) call(contextDefaultParams, arena);
    }

    /** Loads a model; a null pointer where that fails, and the log says why. Frees nothing of {@code params}. */
    public MemorySegment loadModel(List<Path> parts, ModelParams params) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment paths = arena.allocate(ADDRESS, parts.size());
            for (int i = 0; i < parts.size(); i++) {
                paths.setAtIndex(ADDRESS, i, arena.allocateFrom(parts.get(i).toString()));
            }
            return (MemorySegment)
                    call(modelLoadFromSplits, paths, (long) parts.size(), params.write(modelDefaults(arena), arena));
        }
    }

    public void freeModel(MemorySegment model) {
        call(modelFree, model);
    }

    public int vocabSize(MemorySegment model) {
        return (int) call(vocabTokens, (MemorySegment) call(modelGetVocab, model));
    }

    /** Whether the model keeps a state that cannot be cut at any position. */
    public boolean keepsState(MemorySegment model) {
        return (boolean) call(modelIsRecurrent, model) || (boolean) call(modelIsHybrid, model);
    }

    // Contexts

    /** Makes a context of a model; a null pointer where that fails, and the log says why. */
    public MemorySegment openContext(MemorySegment model, ContextParams params) {
        try (Arena arena = Arena.ofConfined()) {
            return (MemorySegment) call(initFromModel, model, params.write(contextDefaults(arena)));
        }
    }

    public void freeContext(MemorySegment context) {
        call(free, context);
    }

    /** The cache of a context; lives with it. */
    public MemorySegment memory(MemorySegment context) {
        return (MemorySegment) call(getMemory, context);
    }

    /** Removes positions {@code from} to the end; false where the model's kind of cache cannot. */
    public boolean removeFrom(MemorySegment memory, int sequence, int from) {
        return (boolean) call(memorySeqRemove, memory, sequence, from, -1);
    }

    /** Makes {@code target} share positions below {@code end} with {@code source}; -1 for all. */
    public void copy(MemorySegment memory, int source, int target, int end) {
        call(memorySeqCopy, memory, source, target, -1, end);
    }

    /**
     * Runs a batch: 0 for success, 1 if the cache has no room, 2 if it was aborted, below 0 for other failures.
     *
     * @param batch made by {@link NativeBatch}
     */
    public int decode(MemorySegment context, NativeBatch batch) {
        return (int) call(decode, context, batch.struct());
    }

    /**
     * Logits of token {@code index} of the last batch, {@code vocabSize} floats that are valid until the next; waits for
     * them.
     */
    public MemorySegment logits(MemorySegment context, int index, int vocabSize) {
        MemorySegment row = (MemorySegment) call(getLogits, context, index);
        return isNull(row) ? row : row.reinterpret(vocabSize * JAVA_FLOAT.byteSize());
    }

    /** Whether a pointer is null. */
    public static boolean isNull(MemorySegment pointer) {
        return pointer.address() == 0;
    }

    /** The text at a pointer, up to its zero byte. */
    static String text(MemorySegment pointer) {
        return isNull(pointer) ? "" : pointer.reinterpret(MOST_TEXT).getString(0);
    }

    private static Object call(MethodHandle function, Object... arguments) {
        try {
            return function.invokeWithArguments(arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("A native function threw", e);
        }
    }
}
