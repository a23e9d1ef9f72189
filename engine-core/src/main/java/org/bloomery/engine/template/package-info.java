/**
 * The chat-template language: the part of Jinja that model files carry, over closed value types, with limits.
 */
@NullMarked
package org.bloomery.engine.template;

import org.jspecify.annotations.NullMarked;
