package org.bloomery.javaengine;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import org.bloomery.engine.backend.Logits;

/** The walls inside this module: root → arch → layer → {tensor, cache} → kernel → quant. */
@AnalyzeClasses(packages = "org.bloomery.javaengine", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    private static final String ROOT = "org.bloomery.javaengine";

    @ArchTest
    static final ArchRule roomsSeeOnlyRoomsBelow = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .withOptionalLayers(true)
            .layer("root")
            .definedBy(ROOT)
            .layer("arch")
            .definedBy(ROOT + ".arch..")
            .layer("layer")
            .definedBy(ROOT + ".layer..")
            .layer("tensor")
            .definedBy(ROOT + ".tensor..")
            .layer("cache")
            .definedBy(ROOT + ".cache..")
            .layer("kernel")
            .definedBy(ROOT + ".kernel..")
            .layer("quant")
            .definedBy(ROOT + ".quant..")
            .whereLayer("root")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("arch")
            .mayOnlyBeAccessedByLayers("root")
            .whereLayer("layer")
            .mayOnlyBeAccessedByLayers("root", "arch")
            .whereLayer("tensor")
            .mayOnlyBeAccessedByLayers("root", "arch", "layer")
            .whereLayer("cache")
            .mayOnlyBeAccessedByLayers("root", "arch", "layer")
            .whereLayer("kernel")
            .mayOnlyBeAccessedByLayers("root", "layer", "tensor", "cache")
            .whereLayer("quant")
            .mayOnlyBeAccessedByLayers("root", "tensor", "cache", "kernel");

    @ArchTest
    static final ArchRule roomsHaveNoCycles =
            slices().matching(ROOT + ".(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule onlyVectorKernelsSeeTheVectorApi = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".kernel.vector")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jdk.incubator..");

    @ArchTest
    static final ArchRule onlyTheLookupSeesVectorKernels = noClasses()
            .that(not(simpleName("KernelLookup").or(resideInAPackage(ROOT + ".kernel.vector"))))
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ROOT + ".kernel.vector");

    @ArchTest
    static final ArchRule onlyTheLookupSeesMachineKernels = noClasses()
            .that(not(simpleName("KernelLookup").or(resideInAPackage(ROOT + ".kernel.machine"))))
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ROOT + ".kernel.machine");

    @ArchTest
    static final ArchRule onlyMachineKernelsAndSystemMemoryCallNativeCode = noClasses()
            .that(not(simpleName("SystemMemory").or(resideInAPackage(ROOT + ".kernel.machine"))))
            .should()
            .dependOnClassesThat()
            .areAssignableTo(Linker.class);

    @ArchTest
    static final ArchRule memorySegmentsStayBelowTheLayers = noMethods()
            .that()
            .areDeclaredInClassesThat(resideInAnyPackage(ROOT + ".arch..", ROOT + ".layer..", ROOT + ".cache..")
                    .and(not(assignableTo(Logits.class))))
            .and()
            .areNotPrivate()
            .should()
            .haveRawReturnType(MemorySegment.class)
            .orShould()
            .haveRawParameterTypes(describe(
                    "that hold a memory segment",
                    types -> types.stream().anyMatch(type -> type.isAssignableTo(MemorySegment.class))))
            .allowEmptyShould(true);
}
