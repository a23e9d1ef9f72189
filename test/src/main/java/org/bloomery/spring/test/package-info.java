/**
 * Tests of Spring Boot applications that talk to a model: {@link org.bloomery.spring.test.InferenceTest} starts the
 * application with a {@link org.bloomery.spring.test.ScriptedChatModel}, which answers what the test says, or with the
 * demo model.
 */
@NullMarked
package org.bloomery.spring.test;

import org.jspecify.annotations.NullMarked;
