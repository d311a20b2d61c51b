package io.tailrace.pipelines.deploy;

import java.util.ArrayList;
import java.util.List;

/** Gathers everything that is wrong with a file, each with the path to it. Not thread-safe. */
final class Problems {
  private final List<String> all = new ArrayList<>();

  /**
   * Adds a problem.
   *
   * @param path where it is, such as {@code writers[0].replicas.minimum}; empty: the whole file
   * @param sentence what is wrong, and what would be right
   */
  void add(String path, String sentence) {
    String problem = path.isEmpty() ? sentence : path + ": " + sentence;
    if (!all.contains(problem)) {
      all.add(problem);
    }
  }

  /** Returns all of them so far, in the order in which they were found. */
  List<String> all() {
    return List.copyOf(all);
  }
}
