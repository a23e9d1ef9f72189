package org.bloomery.nativeengine;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.bloomery.engine.InvalidOptionException;
import org.bloomery.engine.backend.DeviceOptions;
import org.bloomery.engine.backend.DeviceOptions.SplitMode;
import org.bloomery.engine.format.TensorInfo;
import org.bloomery.nativeengine.handle.Device;

/**
 * Which devices take how many layers, planned before anything is loaded. Layers go to devices from the last one backwards,
 * the output layer counting as one more, as llama.cpp places them.
 *
 * @param devices that take layers; empty for the CPU alone
 * @param layers how many they take
 * @param hostWeights bytes of weights that stay in the memory of this machine
 * @param hostCache bytes of the cache that do
 * @param line the plan in one line, for reports
 */
record Placement(List<Device> devices, int layers, long hostWeights, long hostCache, String line) {

    private static final Pattern BLOCK = Pattern.compile("blk\\.([0-9]+)\\..*");

    /** Kept free of each device's memory, for its driver and buffers of its own: a tenth, or half a gibibyte of large ones. */
    private static final long HEAD_ROOM = 512L << 20;

    private static final int HEAD_ROOM_SHARE = 10;

    /**
     * What the layers take.
     *
     * @param weights bytes of each block
     * @param cache bytes of each block's keys and values
     * @param output bytes of what comes after the last block
     * @param other bytes of the token vectors, which stay on the CPU
     * @param workspace bytes of buffers on each device
     */
    record Demand(long[] weights, long[] cache, long output, long other, long workspace) {

        static Demand of(List<TensorInfo> tensors, long[] cache, long workspace) {
            long[] weights = new long[cache.length];
            long output = 0;
            long other = 0;
            for (TensorInfo tensor : tensors) {
                Matcher block = BLOCK.matcher(tensor.name());
                if (block.matches() && Integer.parseInt(block.group(1)) < weights.length) {
                    weights[Integer.parseInt(block.group(1))] += tensor.byteSize();
                } else if (tensor.name().startsWith("output")) {
                    output += tensor.byteSize();
                } else {
                    other += tensor.byteSize();
                }
            }
            return new Demand(weights, cache, output, other, workspace);
        }

        /** Bytes of the last {@code layers} layers, the output layer being the last of all. */
        long ofLast(int layers) {
            long bytes = layers > 0 ? output : 0;
            for (int block = weights.length - 1; block >= 0 && block > weights.length - layers; block--) {
                bytes += weights[block] + cache[block];
            }
            return bytes;
        }

        int layers() {
            return weights.length + 1;
        }

        /** Bytes of weights that stay behind when the last {@code layers} layers have gone. */
        long weightsWithout(int layers) {
            long bytes = other + (layers > 0 ? 0 : output);
            for (int block = 0; block < weights.length - Math.max(0, layers - 1); block++) {
                bytes += weights[block];
            }
            return bytes;
        }

        /** Bytes of the cache that stay behind. */
        long cacheWithout(int layers) {
            long bytes = 0;
            for (int block = 0; block < weights.length - Math.max(0, layers - 1); block++) {
                bytes += cache[block];
            }
            return bytes;
        }
    }

    /**
     * Plans.
     *
     * @param all every device of this machine
     * @param remote devices of RPC servers
     * @throws InvalidOptionException if a device is named that is not there, or shares do not match the devices
     */
    static Placement plan(List<Device> all, List<Device> remote, DeviceOptions options, Demand demand) {
        List<Device> usable = new ArrayList<>(remote);
        usable.addAll(choose(all, options));
        if (options.splitMode() == SplitMode.NONE && usable.size() > 1) {
            usable = List.of(usable.getFirst());
        }
        if (options.tensorSplit().size() > usable.size() && !usable.isEmpty()) {
            throw new InvalidOptionException(
                    "Option 'tensor-split' has " + options.tensorSplit().size() + " shares, but the devices are "
                            + names(usable) + "; give one for each.");
        }
        if (usable.isEmpty() || options.gpuLayers() == 0) {
            return onCpu(usable, demand);
        }
        int layers = options.gpuLayers() == DeviceOptions.AUTO
                ? fitting(usable, demand)
                : Math.min(options.gpuLayers(), demand.layers());
        if (layers == 0) {
            return new Placement(
                    List.of(),
                    0,
                    demand.weightsWithout(0),
                    demand.cacheWithout(0),
                    "the CPU: no layer fits the free memory of " + described(usable) + " with head room");
        }
        String how = options.gpuLayers() == DeviceOptions.AUTO ? "" : ", as set";
        String rest = layers == demand.layers() ? "" : "; the CPU takes the others";
        return new Placement(
                usable,
                layers,
                demand.weightsWithout(layers),
                demand.cacheWithout(layers),
                described(usable) + " with " + layers + " of " + demand.layers() + " layers ("
                        + size(demand.ofLast(layers)) + how + ")" + rest);
    }

    private static Placement onCpu(List<Device> usable, Demand demand) {
        String why =
                usable.isEmpty() ? "no GPU that this library can use" : "gpu-layers is 0, " + names(usable) + " idle";
        return new Placement(List.of(), 0, demand.weightsWithout(0), demand.cacheWithout(0), "the CPU: " + why);
    }

    private static List<Device> choose(List<Device> all, DeviceOptions options) {
        List<Device> chosen = new ArrayList<>();
        if (!options.devices().isEmpty()) {
            for (String name : options.devices()) {
                chosen.add(all.stream()
                        .filter(device -> device.name().equalsIgnoreCase(name)
                                && device.kind() != Device.Kind.ACCELERATOR
                                && device.kind() != Device.Kind.CPU)
                        .findFirst()
                        .orElseThrow(() -> new InvalidOptionException(
                                "Option 'devices' names " + name + ", which is not there; " + present(all) + ".")));
            }
            return chosen;
        }
        for (Device.Kind kind : List.of(Device.Kind.GPU, Device.Kind.INTEGRATED_GPU)) {
            Set<String> seen = new HashSet<>();
            all.stream()
                    .filter(device -> device.kind() == kind && seen.add(device.name()))
                    .forEach(chosen::add);
            if (!chosen.isEmpty()) {
                return chosen;
            }
        }
        return chosen;
    }

    private static String present(List<Device> all) {
        List<Device> gpus = all.stream()
                .filter(device -> device.kind() == Device.Kind.GPU || device.kind() == Device.Kind.INTEGRATED_GPU)
                .toList();
        return gpus.isEmpty() ? "this library finds no device but the CPU" : "there are " + described(gpus);
    }

    /** Most layers whose weights and cache fit what all devices together have to spare. */
    private static int fitting(List<Device> devices, Demand demand) {
        long spare = 0;
        for (Device device : devices) {
            long room = Math.min(HEAD_ROOM, device.totalBytes() / HEAD_ROOM_SHARE);
            spare += Math.max(0, device.freeBytes() - room - demand.workspace());
        }
        // Layers are not cut, so that several devices cannot be filled to the brim
        long usable = devices.size() == 1 ? spare : spare - spare / HEAD_ROOM_SHARE;
        int layers = demand.layers();
        while (layers > 0 && demand.ofLast(layers) > usable) {
            layers--;
        }
        return layers;
    }

    private static String names(List<Device> devices) {
        return devices.stream().map(Device::name).collect(Collectors.joining(", "));
    }

    private static String described(List<Device> devices) {
        return devices.stream()
                .map(device -> device.name() + " (" + device.description() + ", " + size(device.freeBytes()) + " of "
                        + size(device.totalBytes()) + " free)")
                .collect(Collectors.joining(", "));
    }

    private static String size(long bytes) {
        return bytes >= 1L << 30
                ? String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30))
                : String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1L << 20));
    }
}
