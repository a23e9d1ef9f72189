/**
 * Who may ask what, and what prompts and answers may say: interceptors of a chat model, and the interfaces that an
 * application fills.
 */
@NullMarked
package org.bloomery.spring.security;

import org.jspecify.annotations.NullMarked;
