@NullMarked
package org.bloomery.cli;

import org.jspecify.annotations.NullMarked;
