@NullMarked
package org.bloomery.benchmarks;

import org.jspecify.annotations.NullMarked;
