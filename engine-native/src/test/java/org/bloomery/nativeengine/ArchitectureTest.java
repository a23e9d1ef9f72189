package org.bloomery.nativeengine;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The walls of this module: {@code root → handle → {binding, loader}}. */
@AnalyzeClasses(packages = "org.bloomery.nativeengine", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule METHOD_HANDLES_STAY_IN_BINDING = noClasses()
            .that()
            .resideOutsideOfPackage("org.bloomery.nativeengine.binding")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.lang.invoke..")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.foreign.Linker")
            .because("one package speaks to native code");

    @ArchTest
    static final ArchRule BINDING_KNOWS_NO_OTHER_ROOM = noClasses()
            .that()
            .resideInAnyPackage("org.bloomery.nativeengine.binding", "org.bloomery.nativeengine.loader")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.bloomery.nativeengine", "org.bloomery.nativeengine.handle");

    @ArchTest
    static final ArchRule NO_OTHER_BACKEND = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.bloomery.javaengine..", "org.springframework..");

    @ArchTest
    static final ArchRule NO_CYCLES =
            slices().matching("org.bloomery.nativeengine.(*)..").should().beFreeOfCycles();
}
