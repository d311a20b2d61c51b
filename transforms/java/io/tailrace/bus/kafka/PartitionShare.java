package io.tailrace.bus.kafka;

import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which partitions of a topic a reader reads: every {@code of}-th from {@code index} on. Whoever
 * knows how many partitions there are knows whose each is, those that are added later, too.
 */
record PartitionShare(int index, int of) implements Serializable {
  private static final long serialVersionUID = 1;

  /**
   * Returns one share for each of some partitions, so that a runner can spread them as it likes.
   */
  static List<PartitionShare> ofEach(int partitions) {
    return IntStream.range(0, partitions)
        .mapToObj(index -> new PartitionShare(index, partitions))
        .toList();
  }

  /** Returns its partitions among so many. */
  List<Integer> partitions(int all) {
    return IntStream.range(0, all).filter(p -> p % of == index).boxed().toList();
  }

  /** Returns whether this share and another can be told apart. */
  boolean isBeside(PartitionShare other) {
    return of == other.of && index != other.index;
  }

  @Override
  public String toString() {
    return index + "/" + of;
  }
}
