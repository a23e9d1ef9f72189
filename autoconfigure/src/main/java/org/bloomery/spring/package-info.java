@NullMarked
package org.bloomery.spring;

import org.jspecify.annotations.NullMarked;
