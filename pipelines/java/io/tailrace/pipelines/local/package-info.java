/**
 * The embedded servers: a real Kafka broker, a real Redis and a real Flink session cluster in or
 * below this JVM, on the loopback address only. The {@code local} command, the tests and the
 * benchmarks all run on these, so that what a test shows is what a person sees.
 *
 * <p>Every server keeps its files in the directory that it is given and nowhere else, and leaves
 * them there when it is closed: whoever names the directory deletes it.
 */
@NullMarked
package io.tailrace.pipelines.local;

import org.jspecify.annotations.NullMarked;
