package io.tailrace.bus;

import java.time.Duration;
import java.util.Optional;

/**
 * What a bus says of itself before a pipeline starts.
 *
 * @param partitions how many partitions the topic has
 * @param maxMessageBytes the largest message it takes; empty when it does not tell
 * @param retention for how long it keeps messages; empty when it does not tell, or for ever
 */
public record BusFacts(
    int partitions, Optional<Integer> maxMessageBytes, Optional<Duration> retention) {}
