package org.bloomery.spring.autoconfigure;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import org.jspecify.annotations.NullMarked;

@AnalyzeClasses(packages = "org.bloomery.spring", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule NO_INFERENCE_HERE = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "org.bloomery.engine.tokenizer..",
                    "org.bloomery.engine.scheduler..",
                    "org.bloomery.engine.grammar..",
                    "org.bloomery.javaengine..",
                    "org.bloomery.nativeengine..",
                    "java.lang.foreign..",
                    "jdk.incubator..")
            .because("Spring code maps and wires; the engine computes");

    @ArchTest
    static final ArchRule MODELS_KNOW_NO_BOOT = noClasses()
            .that()
            .resideInAnyPackage(
                    "org.bloomery.spring.chat",
                    "org.bloomery.spring.metrics",
                    "org.bloomery.spring.resilience",
                    "org.bloomery.spring.overflow")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.springframework.boot..", "org.bloomery.spring.autoconfigure..")
            .because("what is around an engine is usable without auto-configuration");

    @ArchTest
    static final ArchRule AUTO_CONFIGURATIONS_ARE_FINAL = classes()
            .that()
            .haveSimpleNameEndingWith("AutoConfiguration")
            .should()
            .haveModifier(com.tngtech.archunit.core.domain.JavaModifier.FINAL);

    @ArchTest
    static final ArchRule NO_CYCLES = SlicesRuleDefinition.slices()
            .matching("org.bloomery.spring.(*)..")
            .should()
            .beFreeOfCycles();

    @ArchTest
    static void everyPackageIsNullMarked(JavaClasses classes) {
        assertThat(classes)
                .isNotEmpty()
                .allSatisfy(type -> assertThat(type.getPackage().isAnnotatedWith(NullMarked.class))
                        .as(type.getPackageName())
                        .isTrue());
    }
}
