/** The command {@code dead-letters}: lists, shows, replays and discards what writers refused. */
@NullMarked
package io.tailrace.pipelines.deadletter;

import org.jspecify.annotations.NullMarked;
