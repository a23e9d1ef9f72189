package org.bloomery.engine.backend;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.bloomery.engine.InvalidOptionException;
import org.jspecify.annotations.Nullable;

/**
 * Where a backend computes, for backends that have a choice: the native library and the devices it reaches. Java code
 * computes on the CPU and has none.
 *
 * @param libraryPath folder that holds the native libraries, before any other place is searched; null to search
 * @param gpuLayers layers of the model to place on devices, the output layer being one more; {@link #AUTO} for as many as
 *     fit the devices' free memory
 * @param devices names of the devices to use, such as {@code Vulkan0}; empty for all that are no CPU
 * @param splitMode how several devices share a model
 * @param tensorSplit share of the model a device gets, one number a device in the order of {@code devices}; empty for
 *     shares by free memory
 * @param rpcServers {@code host:port} of each server whose devices are used as well
 * @param flashAttention whether attention is computed in one fused step
 */
public record DeviceOptions(
        @Nullable Path libraryPath,
        int gpuLayers,
        List<String> devices,
        SplitMode splitMode,
        List<Double> tensorSplit,
        List<String> rpcServers,
        FlashAttention flashAttention) {

    /** As many layers as fit. */
    public static final int AUTO = -1;

    /** Every choice left to the backend. */
    public static final DeviceOptions DEFAULT =
            new DeviceOptions(null, AUTO, List.of(), SplitMode.LAYER, List.of(), List.of(), FlashAttention.AUTO);

    private static final int MOST_LAYERS = 1024;
    private static final int MOST_DEVICES = 16;
    private static final Pattern LAYERS = Pattern.compile("[0-9]{1,4}");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.:\\[\\]-]{1,64}");
    private static final Pattern SERVER = Pattern.compile("[A-Za-z0-9_.:\\[\\]-]{1,253}:[0-9]{1,5}");

    /** How several devices share a model. */
    public enum SplitMode {
        /** Only the first device is used. */
        NONE,
        /** Whole layers, with their part of the cache. */
        LAYER,
        /** The rows of each matrix. */
        ROW
    }

    /** Whether attention is computed in one fused step. */
    public enum FlashAttention {
        /** Where the device can. */
        AUTO,
        ON,
        OFF
    }

    /** @throws InvalidOptionException naming the option, its value and its range */
    public DeviceOptions {
        devices = List.copyOf(devices);
        tensorSplit = List.copyOf(tensorSplit);
        rpcServers = List.copyOf(rpcServers);
        if (gpuLayers < AUTO || gpuLayers > MOST_LAYERS) {
            throw new InvalidOptionException(
                    "Option 'gpu-layers' is " + gpuLayers + "; it must be auto, or 0 to " + MOST_LAYERS + ".");
        }
        atMost("devices", devices.size());
        atMost("tensor-split", tensorSplit.size());
        atMost("rpc-servers", rpcServers.size());
        for (String device : devices) {
            if (!NAME.matcher(device).matches()) {
                throw new InvalidOptionException("Option 'devices' names '" + device
                        + "'; a device's name has 1 to 64 letters, digits and signs of _.:[]-, such as Vulkan0.");
            }
        }
        if (devices.stream().distinct().count() < devices.size()) {
            throw new InvalidOptionException(
                    "Option 'devices' is " + devices + "; it must name each device only once.");
        }
        double sum = 0;
        for (double share : tensorSplit) {
            if (!(share >= 0 && share <= Float.MAX_VALUE)) {
                throw new InvalidOptionException(
                        "Option 'tensor-split' has " + share + "; a share must be a number of 0 or more.");
            }
            sum += share;
        }
        if (!tensorSplit.isEmpty() && sum == 0) {
            throw new InvalidOptionException(
                    "Option 'tensor-split' is " + tensorSplit + "; at least one device must have a share above 0.");
        }
        for (String server : rpcServers) {
            if (!SERVER.matcher(server).matches()
                    || Integer.parseInt(server.substring(server.lastIndexOf(':') + 1)) > 65_535) {
                throw new InvalidOptionException(
                        "Option 'rpc-servers' has '" + server + "'; it must be host:port, with a port up to 65535.");
            }
        }
    }

    /**
     * Reads a number of layers as people write it.
     *
     * @param text {@code auto} or a whole number
     * @throws InvalidOptionException if it is neither
     */
    public static int gpuLayers(String text) {
        if (text.equals("auto")) {
            return AUTO;
        }
        if (!LAYERS.matcher(text).matches()) {
            throw new InvalidOptionException(
                    "Option 'gpu-layers' is '" + text + "'; it must be auto, or 0 to " + MOST_LAYERS + ".");
        }
        return Integer.parseInt(text);
    }

    private static void atMost(String option, int size) {
        if (size > MOST_DEVICES) {
            throw new InvalidOptionException(
                    "Option '" + option + "' has " + size + " entries; it may have " + MOST_DEVICES + ".");
        }
    }
}
