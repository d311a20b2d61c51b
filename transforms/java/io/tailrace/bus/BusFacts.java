package io.tailrace.bus;

import java.time.Duration;
import java.util.Optional;

/**
 * What a bus says of itself before a pipeline starts.
 *
 * @param partitions how many partitions the topic has
 * @param maxMessageBytes the largest message it takes; empty when it does not tell
 * @param retention for how long a message may be there; empty when it does not tell, or for ever
 * @param times who gives its messages their times
 */
public record BusFacts(
    int partitions, Optional<Integer> maxMessageBytes, Optional<Duration> retention, Times times) {
  /** Who gives a topic's messages their times. */
  public enum Times {
    /** The bus. */
    BUS,
    /** Publishers, of whom those with times far ahead are refused. */
    PUBLISHERS,
    /** Publishers, whatever they say. */
    ANY,
    /** It does not tell. */
    UNKNOWN
  }

  /** Facts of a bus that tells nothing but its partitions. */
  public static BusFacts ofPartitions(int partitions) {
    return new BusFacts(partitions, Optional.empty(), Optional.empty(), Times.UNKNOWN);
  }
}
