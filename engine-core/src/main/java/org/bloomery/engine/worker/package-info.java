/**
 * Runs any backend in a child JVM, so that a crash of native code ends the child and not the application.
 *
 * <p>The two talk over a Unix domain socket that only this user can reach. {@code WorkerProvider} and
 * {@code WorkerBackend} stand in for the backend on this side, {@code Worker} is the child's main class, {@code Wire} and
 * {@code Messages} are what they say to each other.
 */
@NullMarked
package org.bloomery.engine.worker;

import org.jspecify.annotations.NullMarked;
