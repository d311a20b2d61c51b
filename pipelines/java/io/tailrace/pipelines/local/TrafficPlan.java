package io.tailrace.pipelines.local;

import io.tailrace.pipelines.local.traffic.TrafficPublisher;
import java.util.OptionalLong;

/**
 * Which traffic to publish.
 *
 * @param records how many results; empty: without end, or as many as a proof needs
 * @param rate how many a second; empty: as fast as it goes if they are limited
 * @param seed other traffic for another number
 * @param exitWhenPersisted whether to compare the stores with models of them in the end
 */
record TrafficPlan(OptionalLong records, OptionalLong rate, long seed, boolean exitWhenPersisted) {
  private static final long DEFAULT_RATE = 2_000;
  private static final long DEFAULT_RECORDS = 50_000;

  long limit() {
    return records.orElse(exitWhenPersisted ? DEFAULT_RECORDS : Long.MAX_VALUE);
  }

  long perSecond() {
    return rate.orElse(
        limit() < Long.MAX_VALUE ? TrafficPublisher.AS_FAST_AS_IT_GOES : DEFAULT_RATE);
  }
}
