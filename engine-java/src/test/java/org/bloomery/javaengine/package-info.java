@NullMarked
package org.bloomery.javaengine;

import org.jspecify.annotations.NullMarked;
