package org.bloomery.spring.security;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.engine.format.TensorInfo;
import org.jspecify.annotations.Nullable;

/**
 * Admits models by what their header says and where they lie. An empty list allows everything.
 *
 * @param architectures names as in {@code general.architecture}
 * @param quantizations tensor types, such as {@code Q8_0}; every tensor must have one of them
 * @param mostBytes size of all parts, or null for any
 * @param privateLocation whether neither the files nor their folders may be writable by others
 */
public record ListedModels(
        List<String> architectures,
        List<String> quantizations,
        @Nullable Long mostBytes,
        boolean privateLocation) implements ModelAdmissionPolicy {

    public ListedModels {
        architectures = List.copyOf(architectures);
        quantizations = List.copyOf(quantizations);
    }

    @Override
    public ModelVerdict admit(ModelFile model) {
        String name = "Model file " + model.path().getFileName();
        String architecture = model.metadata().string("general.architecture");
        if (!architectures.isEmpty() && !architectures.contains(architecture)) {
            return ModelVerdict.refused(name + " has the architecture '" + architecture + "'; allowed are "
                    + String.join(", ", architectures) + ".");
        }
        Set<String> others = new TreeSet<>();
        for (TensorInfo tensor : model.tensors()) {
            if (!quantizations.isEmpty()
                    && !quantizations.contains(tensor.type().name())) {
                others.add(tensor.type().name());
            }
        }
        if (!others.isEmpty()) {
            return ModelVerdict.refused(name + " has tensors of the types " + String.join(", ", others)
                    + "; allowed are " + String.join(", ", quantizations) + ".");
        }
        if (mostBytes != null && model.fileBytes() > mostBytes) {
            return ModelVerdict.refused(
                    name + " has " + model.fileBytes() + " bytes; allowed are at most " + mostBytes + ".");
        }
        if (privateLocation) {
            return ModelLocation.complaint(model.parts())
                    .map(ModelVerdict::refused)
                    .orElse(ModelVerdict.ACCEPTED);
        }
        return ModelVerdict.ACCEPTED;
    }
}
