/**
 * The engine as a Spring AI chat model: prompts to requests, answers to responses, and no inference.
 */
@NullMarked
package org.bloomery.spring.chat;

import org.jspecify.annotations.NullMarked;
