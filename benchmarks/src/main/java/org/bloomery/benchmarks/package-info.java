/**
 * Benchmarks on JMH; not published. Build and run them with
 *
 * <pre>{@code
 * mvn -q -pl benchmarks -am package -DskipTests
 * java --add-modules jdk.incubator.vector -jar benchmarks/target/benchmarks.jar MatrixProduct
 * java --add-modules jdk.incubator.vector -jar benchmarks/target/benchmarks.jar MatrixProduct -p type=Q8_0 -p tokens=1,8
 * java -jar benchmarks/target/benchmarks.jar TokenMask -bm sample -p vocabulary=model.gguf
 * }</pre>
 */
@NullMarked
package org.bloomery.benchmarks;

import org.jspecify.annotations.NullMarked;
