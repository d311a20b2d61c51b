package io.tailrace.pipelines.deploy;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a writer's processes run in. Immutable.
 *
 * @param nodes the labels of the nodes that they may run on; none: any
 * @param environment variables that are no secrets
 * @param egressPorts to which they may connect besides those of their URIs
 */
record Pod(
    String image,
    Resources resources,
    Map<String, String> nodes,
    Map<String, String> environment,
    Set<Integer> egressPorts) {
  /** Puts all in order: a manifest is the same each time. */
  Pod {
    nodes = Collections.unmodifiableMap(new TreeMap<>(nodes));
    environment = Collections.unmodifiableMap(new TreeMap<>(environment));
    egressPorts = Collections.unmodifiableSet(new TreeSet<>(egressPorts));
  }
}
