package org.bloomery.spring.security;

import java.nio.file.Path;
import java.util.List;
import org.bloomery.engine.format.GgufReader;
import org.bloomery.engine.format.LoadMode;
import org.bloomery.engine.format.ModelFile;
import org.bloomery.spring.security.ModelRefusedException.Check;
import org.jspecify.annotations.Nullable;

/**
 * Everything that is asked about a model before it is loaded. Between the check and the load the file must not change:
 * let nobody else write it or its folder.
 *
 * @param verifiers whether the file is the one that it should be
 * @param policies whether a model of its kind may be loaded
 * @param template which chat template may be used
 * @param strict whether there must be something that knows which file it should be
 */
public record ModelChecks(
        List<ModelVerifier> verifiers,
        List<ModelAdmissionPolicy> policies,
        ChatTemplatePolicy template,
        boolean strict) {

    public ModelChecks {
        verifiers = List.copyOf(verifiers);
        policies = List.copyOf(policies);
    }

    /**
     * Asks everything.
     *
     * @param chatTemplate the configuration's chat template, or null
     * @throws ModelRefusedException with the first reason against it
     */
    public void check(Path model, @Nullable String chatTemplate) {
        if (strict && verifiers.isEmpty()) {
            throw new ModelRefusedException(
                    Check.INTEGRITY,
                    "Property 'bloomery.security.strict' is true, but nothing says which model it should be; set"
                            + " 'bloomery.security.model-sha256' or 'bloomery.security.model-signature'.");
        }
        for (ModelVerifier verifier : verifiers) {
            require(Check.INTEGRITY, verifier.verify(model));
        }
        if (policies.isEmpty() && template.source() == ChatTemplatePolicy.Source.EMBEDDED) {
            return;
        }
        try (ModelFile file = GgufReader.open(model, LoadMode.MAP)) {
            for (ModelAdmissionPolicy policy : policies) {
                require(Check.ADMISSION, policy.admit(file));
            }
            String embedded = file.metadata().contains("tokenizer.chat_template")
                    ? file.metadata().string("tokenizer.chat_template")
                    : null;
            require(Check.CHAT_TEMPLATE, template.judge(embedded, chatTemplate));
        }
    }

    private static void require(Check check, ModelVerdict verdict) {
        if (!verdict.accepted()) {
            throw new ModelRefusedException(check, verdict.reason());
        }
    }
}
