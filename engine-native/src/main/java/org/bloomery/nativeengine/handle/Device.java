package org.bloomery.nativeengine.handle;

import java.lang.foreign.MemorySegment;
import org.bloomery.nativeengine.binding.Llama;

/** Something that ggml computes on. Lives as long as the library. */
public final class Device {

    /** What kind of device it is. */
    public enum Kind {
        CPU,
        GPU,
        INTEGRATED_GPU,
        /** Helps the CPU with some operations; holds no layers. */
        ACCELERATOR
    }

    private final MemorySegment pointer;
    private final String name;
    private final String description;
    private final Kind kind;
    private final long freeBytes;
    private final long totalBytes;

    /** @param pointer ggml's; null for a device that is only planned with */
    public Device(MemorySegment pointer, String name, String description, Kind kind, long freeBytes, long totalBytes) {
        this.pointer = pointer;
        this.name = name;
        this.description = description;
        this.kind = kind;
        this.freeBytes = freeBytes;
        this.totalBytes = totalBytes;
    }

    static Device of(Llama llama, MemorySegment pointer) {
        Kind kind = switch (llama.deviceType(pointer)) {
            case Llama.DEVICE_CPU -> Kind.CPU;
            case Llama.DEVICE_GPU -> Kind.GPU;
            case Llama.DEVICE_INTEGRATED_GPU -> Kind.INTEGRATED_GPU;
            default -> Kind.ACCELERATOR;
        };
        long[] memory = llama.deviceMemory(pointer);
        return new Device(
                pointer, llama.deviceName(pointer), llama.deviceDescription(pointer), kind, memory[0], memory[1]);
    }

    MemorySegment pointer() {
        return pointer;
    }

    /** Such as {@code Vulkan0}. */
    public String name() {
        return name;
    }

    /** What its maker calls it. */
    public String description() {
        return description;
    }

    public Kind kind() {
        return kind;
    }

    /** Bytes free when it was looked at. */
    public long freeBytes() {
        return freeBytes;
    }

    public long totalBytes() {
        return totalBytes;
    }
}
