package org.bloomery.engine.template;

/** Python's None. */
enum None implements Value {
    NONE
}
