/** Small tools for people: what publishes to a bus by hand and reads a store. */
@NullMarked
package io.tailrace.pipelines.tools;

import org.jspecify.annotations.NullMarked;
