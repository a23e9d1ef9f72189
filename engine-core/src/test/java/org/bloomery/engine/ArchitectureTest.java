package org.bloomery.engine;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The walls inside engine-core: which room may know which, and what no room may use. A wall that stands wrong is moved
 * here and in {@code docs/architecture.md}, in a change of its own.
 */
class ArchitectureTest {

    private static final String ROOT = "org.bloomery.engine";

    /** What each room may know of the others. The root is the door: it may know all of them. */
    private static final Map<String, Set<String>> ROOMS = Map.ofEntries(
            Map.entry("audit", Set.of()),
            Map.entry("format", Set.of()),
            Map.entry("store", Set.of()),
            Map.entry("telemetry", Set.of()),
            Map.entry("template", Set.of()),
            Map.entry("tokenizer", Set.of("format")),
            Map.entry("backend", Set.of("format")),
            Map.entry("worker", Set.of("format", "backend")),
            Map.entry("grammar", Set.of("tokenizer")),
            Map.entry("sampling", Set.of("tokenizer", "grammar")),
            Map.entry("chat", Set.of("grammar", "template", "tokenizer")),
            Map.entry("scheduler", Set.of("backend", "sampling", "tokenizer", "grammar")));

    private static final JavaClasses CLASSES = imported(importer ->
            importer.withImportOption(new ImportOption.DoNotIncludeTests()).importPackages(ROOT));

    private static final ArchRule NO_MEMORY_SEGMENTS = noClasses()
            .that()
            .resideOutsideOfPackages(ROOT + ".format", ROOT + ".backend", ROOT + ".worker")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.lang.foreign..")
            .because("memory outside the heap belongs to format, the backend seam and the worker behind it");

    private static final ArchRule NO_REFLECTION = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.lang.reflect..")
            .orShould()
            .callMethodWhere(target(owner(
                            DescribedPredicate.equalTo(Class.class.getName()).onResultOf(JavaClass::getName)))
                    .and(target(nameMatching("forName|newInstance|get(Declared)?(Method|Field|Constructor)s?"))))
            .because("what a model file, a prompt or a template names must never become code");

    private static final ArchRule NO_SERIALIZATION = noClasses()
            .should()
            .dependOnClassesThat()
            .areAssignableTo(ObjectInputStream.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(ObjectOutputStream.class)
            .because("reading serialised objects runs code that a file chooses");

    private static final ArchRule NO_CONSOLE_OR_GLOBAL_STATE = noClasses()
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethodWhere(target(owner(
                            DescribedPredicate.equalTo(System.class.getName()).onResultOf(JavaClass::getName)))
                    .and(target(nameMatching("setProperty|setProperties|clearProperty|exit|load|loadLibrary"))))
            .orShould()
            .callMethodWhere(target(nameMatching("printStackTrace")))
            .because("a library logs through System.Logger and leaves the process alone");

    private static final ArchRule FEW_LIBRARIES = classes()
            .should()
            .onlyDependOnClassesThat(resideInAPackage("java..")
                    .or(resideInAPackage("com.sun.management"))
                    .or(resideInAPackage("jdk.jfr"))
                    .or(resideInAPackage(ROOT + ".."))
                    .or(resideInAPackage("org.jspecify.annotations"))
                    .or(resideInAPackage("tools.jackson.core.."))
                    .as("belong to the JDK, engine-core, JSpecify or Jackson's streaming core"))
            .because("engine-core sits in other people's class paths: no Spring, no logging facade");

    private static final ArchRule NULL_MARKED = classes()
            .should(new ArchCondition<>("be in a package marked @NullMarked") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                    if (!type.getPackage().isAnnotatedWith(NullMarked.class)) {
                        events.add(SimpleConditionEvent.violated(
                                type, type.getName() + " is in a package without @NullMarked"));
                    }
                }
            });

    private static final ArchRule ROOMS_KNOW_WHAT_THEY_MAY = classes()
            .should(new ArchCondition<>("know only the rooms that theirs may know") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                    String room = room(type);
                    if (room.isEmpty()) {
                        return;
                    }
                    Set<String> allowed = ROOMS.get(room);
                    if (allowed == null) {
                        events.add(SimpleConditionEvent.violated(
                                type, type.getName() + " is in a room that this test does not know"));
                        return;
                    }
                    type.getDirectDependenciesFromSelf().forEach(dependency -> {
                        String other = room(dependency.getTargetClass());
                        if (!other.isEmpty() && !other.equals(room) && !allowed.contains(other)) {
                            events.add(SimpleConditionEvent.violated(dependency, dependency.getDescription()));
                        }
                    });
                }
            });

    @Test
    void roomsKnowOnlyWhatTheyMay() {
        ROOMS_KNOW_WHAT_THEY_MAY.check(CLASSES);
    }

    /**
     * The root holds the door, which knows the rooms, and words that rooms share, such as exceptions, which know no room:
     * they count as two.
     */
    @Test
    void packagesDependOnEachOtherInOneDirection() {
        Set<JavaClass> door = door();
        slices().assignedFrom(new SliceAssignment() {
                    @Override
                    public SliceIdentifier getIdentifierOf(JavaClass type) {
                        if (!type.getPackageName().startsWith(ROOT)) {
                            return SliceIdentifier.ignore();
                        }
                        String room = room(type);
                        return SliceIdentifier.of(
                                !room.isEmpty() ? room : door.contains(type) ? "door" : "shared words");
                    }

                    @Override
                    public String getDescription() {
                        return "packages, the root being two: door and shared words";
                    }
                })
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    @Test
    void memorySegmentsStayInFormatBackendAndWorker() {
        NO_MEMORY_SEGMENTS.check(CLASSES);
    }

    @Test
    void nothingUsesReflection() {
        NO_REFLECTION.check(CLASSES);
    }

    @Test
    void nothingReadsOrWritesSerialisedObjects() {
        NO_SERIALIZATION.check(CLASSES);
    }

    @Test
    void nothingPrintsOrChangesTheProcess() {
        NO_CONSOLE_OR_GLOBAL_STATE.check(CLASSES);
    }

    @Test
    void nothingNeedsMoreThanTheJdkJSpecifyAndJackson() {
        FEW_LIBRARIES.check(CLASSES);
    }

    @Test
    void everyPackageIsNullMarked() {
        NULL_MARKED.check(CLASSES);
    }

    @Test
    void looksAtTheWholeModule() {
        assertThat(CLASSES).hasSizeGreaterThan(50);
        assertThat(CLASSES.contain(EngineException.class)).isTrue();
        assertThat(CLASSES.contain(ArchitectureTest.class)).isFalse();
    }

    /** A wall that cannot fail is none. */
    @ParameterizedTest
    @MethodSource("rulesAndOffenders")
    void everyWallStopsAnOffender(ArchRule rule, Class<?> offender) {
        JavaClasses offenders = imported(importer -> importer.importClasses(offender));
        assertThat(rule.evaluate(offenders).hasViolation()).isTrue();
    }

    static Object[][] rulesAndOffenders() {
        return new Object[][] {
            {NO_MEMORY_SEGMENTS, TakesMemory.class},
            {NO_REFLECTION, CallsByName.class},
            {NO_REFLECTION, LooksIntoClasses.class},
            {NO_SERIALIZATION, ReadsObjects.class},
            {NO_CONSOLE_OR_GLOBAL_STATE, Prints.class},
            {NO_CONSOLE_OR_GLOBAL_STATE, SetsProperties.class},
            {FEW_LIBRARIES, ArchitectureTest.class},
        };
    }

    record TakesMemory(MemorySegment segment) {}

    static final class CallsByName {
        Class<?> call(String name) throws ClassNotFoundException {
            return Class.forName(name);
        }
    }

    static final class LooksIntoClasses {
        int look(Class<?> type) {
            return type.getDeclaredFields().length;
        }
    }

    static final class ReadsObjects {
        Object read(ObjectInputStream in) throws Exception {
            return in.readObject();
        }
    }

    static final class Prints {
        void print() {
            System.err.println("printed");
        }
    }

    static final class SetsProperties {
        void set() {
            System.setProperty("a", "b");
        }
    }

    /** Imports classes without reading those of the JDK that they use: no rule looks into them. */
    private static JavaClasses imported(Function<ClassFileImporter, JavaClasses> read) {
        ArchConfiguration configuration = ArchConfiguration.get();
        boolean before = configuration.resolveMissingDependenciesFromClassPath();
        configuration.setResolveMissingDependenciesFromClassPath(false);
        try {
            return read.apply(new ClassFileImporter());
        } finally {
            configuration.setResolveMissingDependenciesFromClassPath(before);
        }
    }

    /** The first part of the package's name below the root; empty for the root and for other people's classes. */
    private static String room(JavaClass type) {
        String name = type.getBaseComponentType().getPackageName();
        if (!name.startsWith(ROOT + ".")) {
            return "";
        }
        String below = name.substring(ROOT.length() + 1);
        int dot = below.indexOf('.');
        return dot < 0 ? below : below.substring(0, dot);
    }

    /** Classes of the root that know a room, or know one that does. */
    private static Set<JavaClass> door() {
        Set<JavaClass> door = new HashSet<>();
        boolean grown = true;
        while (grown) {
            grown = false;
            for (JavaClass type : CLASSES) {
                boolean knowsRoom = type.getDirectDependenciesFromSelf().stream()
                        .map(dependency -> dependency.getTargetClass().getBaseComponentType())
                        .anyMatch(other -> !room(other).isEmpty() || door.contains(other));
                if (type.getPackageName().equals(ROOT) && knowsRoom) {
                    grown |= door.add(type);
                }
            }
        }
        return door;
    }
}
