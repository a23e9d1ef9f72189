package org.bloomery.spring.security;

/**
 * Marks a guard of ours whose time is in proportion to the text. It needs no limit, so it judges on the thread that asks and
 * costs no change of threads.
 */
interface Bounded {}
