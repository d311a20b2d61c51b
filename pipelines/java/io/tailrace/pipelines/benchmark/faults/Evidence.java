package io.tailrace.pipelines.benchmark.faults;

import java.util.Set;

/**
 * What was done, and where to look for what has come of it.
 *
 * @param what was done, where that is more than the fault's name; else empty
 * @param broken the servers that were disturbed
 * @param noticed what all writers have noticed, where it is known; else empty
 */
record Evidence(String what, Set<Server> broken, String noticed) {
  Evidence {
    broken = Set.copyOf(broken);
  }
}
