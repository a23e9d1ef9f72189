/**
 * Messages to a prompt, and generated text to an answer with tool calls and reasoning.
 */
@NullMarked
package org.bloomery.engine.chat;

import org.jspecify.annotations.NullMarked;
