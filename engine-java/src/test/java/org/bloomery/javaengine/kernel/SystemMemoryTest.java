package org.bloomery.javaengine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The numbers are Linux's. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "Only Linux is asked for memory")
class SystemMemoryTest {

    private final SystemMemory memory = SystemMemory.find().orElseThrow();

    @TempDir
    Path folder;

    @Test
    void givesZeroWritableMemoryUntilItsArenaCloses() {
        MemorySegment pages;
        try (Arena arena = Arena.ofShared()) {
            pages = memory.mapLargePages(5_000_001, arena);
            assertThat(pages.byteSize()).isEqualTo(5_000_001);
            assertThat(pages.address() % (2 << 20)).isZero();
            assertThat(pages.mismatch(MemorySegment.ofArray(new byte[5_000_001])))
                    .isEqualTo(-1);
            pages.fill((byte) 7);
            assertThat(pages.get(ValueLayout.JAVA_BYTE, 5_000_000)).isEqualTo((byte) 7);
        }
        assertThat(pages.scope().isAlive()).isFalse();
    }

    @Test
    void refusesMoreThanThereAreAddresses() {
        try (Arena arena = Arena.ofShared()) {
            assertThatThrownBy(() -> memory.mapLargePages(1L << 60, arena))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no memory of");
        }
    }

    @Test
    void dropsPagesOfAFileAndNothingOfWhatItHolds() throws IOException {
        byte[] bytes = new byte[1 << 20];
        new Random(1).nextBytes(bytes);
        Path file = Files.write(folder.resolve("weights"), bytes);
        try (FileChannel channel = FileChannel.open(file);
                Arena arena = Arena.ofShared()) {
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes.length, arena);
            for (MemorySegment part :
                    new MemorySegment[] {mapped, mapped.asSlice(100, 900_000), mapped.asSlice(5, 3)}) {
                memory.drop(part);
                assertThat(mapped.mismatch(MemorySegment.ofArray(bytes))).isEqualTo(-1);
            }
        }
    }

    @Test
    void refusesToDropWhatIsNoFile() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment own = memory.map(1 << 20, arena);
            assertThatThrownBy(() -> memory.drop(own)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
