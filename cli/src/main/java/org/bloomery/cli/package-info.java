/**
 * The command line {@code bloomery}, over the engine without Spring. Standard output carries only the result (JSON or
 * text); progress, reports and errors go to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by
 * the chat template.
 */
@NullMarked
package org.bloomery.cli;

import org.jspecify.annotations.NullMarked;
