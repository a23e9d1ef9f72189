package org.bloomery.spring.test;

import org.springframework.test.context.TestContext;
import org.springframework.test.context.support.AbstractTestExecutionListener;

/** Empties the script before every test method, since test classes share a context. */
final class ScriptedChatModelListener extends AbstractTestExecutionListener {

    @Override
    public void beforeTestMethod(TestContext test) {
        if (test.hasApplicationContext()) {
            test.getApplicationContext()
                    .getBeanProvider(ScriptedChatModel.class)
                    .ifAvailable(ScriptedChatModel::reset);
        }
    }
}
