package org.bloomery.javaengine.kernel.vector;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.bloomery.javaengine.kernel.KernelContract;
import org.bloomery.javaengine.kernel.Kernels;
import org.junit.jupiter.api.Nested;

/** The vector tier at every width: the width is a constant of its classes, so each has them loaded afresh. */
class VectorKernelsTest {

    private static final Kernels WIDTH_128 = load(128);
    private static final Kernels WIDTH_256 = load(256);
    private static final Kernels WIDTH_512 = load(512);

    @Nested
    class With128Bits extends KernelContract {
        With128Bits() {
            super(WIDTH_128);
        }
    }

    @Nested
    class With256Bits extends KernelContract {
        With256Bits() {
            super(WIDTH_256);
        }
    }

    @Nested
    class With512Bits extends KernelContract {
        With512Bits() {
            super(WIDTH_512);
        }
    }

    private static Kernels load(int bits) {
        String before = System.setProperty(Lanes.BITS, Integer.toString(bits));
        try {
            Class<?> type = new OwnVectorClasses().loadClass(VectorKernels.class.getName());
            Kernels kernels = (Kernels) type.getConstructor(String.class).newInstance("Loaded by a test.");
            // The width is read when it is first asked for, which must be before the property is put back.
            assertThat(kernels.name()).endsWith("-" + bits);
            return kernels;
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        } finally {
            if (before == null) {
                System.clearProperty(Lanes.BITS);
            } else {
                System.setProperty(Lanes.BITS, before);
            }
        }
    }

    /** Defines the classes of this package itself and leaves all others to its parent. */
    private static final class OwnVectorClasses extends ClassLoader {

        OwnVectorClasses() {
            super(VectorKernels.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                if (loaded != null) {
                    return loaded;
                }
                return name.startsWith(VectorKernels.class.getPackageName() + ".")
                        ? define(name)
                        : super.loadClass(name, resolve);
            }
        }

        private Class<?> define(String name) {
            try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] bytes = java.util.Objects.requireNonNull(in, name).readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
