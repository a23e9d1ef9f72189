package org.bloomery.spring.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.bloomery.engine.Engine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** An application that starts again and again in one JVM, its own classes loaded anew each time, as devtools does it. */
class RestartTest {

    private static final int STRETCHES = Boolean.getBoolean("bloomery.soak") ? 10 : 4;
    private static final int ROUNDS = Boolean.getBoolean("bloomery.soak") ? 10 : 5;

    /** Profiles that the JVM keeps of methods lie in metaspace too, and grow ever slower for some hundred rounds. */
    private static final long SLACK = 1L << 19;

    /**
     * What each restart leaves is there after every stretch of them. The JVM's own growth, such as the accessors that it
     * makes for methods called often, comes in leaps between which nothing grows.
     */
    @Test
    void restartsMeetNoLinkErrorsAndLeaveNothingBehind() throws Exception {
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        List<Integer> classes = new ArrayList<>();
        List<Long> metaspace = new ArrayList<>();
        for (int stretch = 0; stretch < STRETCHES; stretch++) {
            int classesBefore = loadedClasses();
            long metaspaceBefore = metaspace();
            for (int round = 0; round < ROUNDS; round++) {
                loaders.add(start());
            }
            awaitCollection(loaders);
            classes.add(loadedClasses() - classesBefore);
            metaspace.add(metaspace() - metaspaceBefore);
        }

        assertThat(metaspace)
                .as("bytes of metaspace that each %d restarts left", ROUNDS)
                .anyMatch(left -> left < SLACK);
        assertThat(classes).as("classes that each %d restarts left", ROUNDS).anyMatch(left -> left < ROUNDS);
    }

    @ParameterizedTest
    @CsvSource({
        "file:/repository/bloomery-engine-core/0.1.0/bloomery-engine-core-0.1.0.jar,true",
        "file:/repository/bloomery-engine-java-0.1.0-SNAPSHOT.jar,true",
        "file:/repository/bloomery-natives-linux-x86_64-cuda-0.1.0.jar,true",
        "file:/repository/bloomery-spring-boot-0.1.0.jar,true",
        "file:/repository/bloomery-customer-app-0.1.0.jar,false",
        "file:/app/target/classes/,false"
    })
    void devtoolsLeavesTheEnginesJarsAlone(String url, boolean excluded) throws IOException {
        Properties properties = new Properties();
        try (InputStream stream =
                Engine.class.getClassLoader().getResourceAsStream("META-INF/spring-devtools.properties")) {
            properties.load(stream);
        }

        Pattern pattern = Pattern.compile(properties.getProperty("restart.exclude.bloomery"));
        assertThat(pattern.matcher(url).find()).isEqualTo(excluded);
    }

    /** In a frame of its own, so that nothing of it is held when it returns. */
    private static WeakReference<ClassLoader> start() throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (RestartLoader loader = new RestartLoader()) {
            thread.setContextClassLoader(loader);
            Class<?> application = loader.loadClass(Application.class.getName());
            assertThat(application).isNotSameAs(Application.class);
            try (ConfigurableApplicationContext context = new SpringApplicationBuilder(application)
                    .web(WebApplicationType.NONE)
                    .bannerMode(Banner.Mode.OFF)
                    .logStartupInfo(false)
                    .registerShutdownHook(false)
                    .properties(
                            "bloomery.chat.model=classpath:org/bloomery/spring/test/bloomery-demo-q8_0.gguf",
                            "bloomery.chat.temperature=0",
                            "bloomery.chat.max-tokens=4")
                    .run()) {
                assertThat(context.getBean(Engine.class).getClass().getClassLoader())
                        .isSameAs(Engine.class.getClassLoader());
                assertThat(context.getBean(ChatModel.class).call("Hello")).isNotBlank();
            }
            return new WeakReference<>(loader);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /** Caches of the framework may hold the last round's classes. */
    private static void awaitCollection(List<WeakReference<ClassLoader>> loaders) {
        Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            System.gc();
            assertThat(loaders.stream().filter(loader -> loader.get() != null).count())
                    .as("class loaders of %d restarts that are still there", loaders.size())
                    .isLessThanOrEqualTo(1);
        });
    }

    private static int loadedClasses() {
        return ManagementFactory.getClassLoadingMXBean().getLoadedClassCount();
    }

    private static long metaspace() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getName().equals("Metaspace"))
                .map(MemoryPoolMXBean::getUsage)
                .findFirst()
                .orElseThrow()
                .getUsed();
    }

    /** Loads the application's classes itself and leaves all others to the class path. */
    private static final class RestartLoader extends URLClassLoader {

        private static final String OWN = Application.class.getName();

        RestartLoader() {
            super(
                    new URL[] {
                        Application.class.getProtectionDomain().getCodeSource().getLocation()
                    },
                    RestartTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.equals(OWN) && !name.startsWith(OWN + "$")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded == null ? findClass(name) : loaded;
            }
        }
    }
}
