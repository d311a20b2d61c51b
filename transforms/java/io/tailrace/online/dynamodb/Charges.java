package io.tailrace.online.dynamodb;

import io.tailrace.online.StoreCosts;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.DoubleAdder;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.dynamodb.model.ConsumedCapacity;

/** What requests of a connection were charged. Thread-safe. */
final class Charges {
  private final AtomicLong requests = new AtomicLong();
  private final AtomicLong conflicts = new AtomicLong();
  private final AtomicLong retries = new AtomicLong();
  private final DoubleAdder writeUnits = new DoubleAdder();
  private final DoubleAdder readUnits = new DoubleAdder();

  void request() {
    requests.incrementAndGet();
  }

  void retry() {
    retries.incrementAndGet();
  }

  /**
   * Counts a write that lost against what is stored.
   *
   * @param units what it is charged, of which the answer says nothing
   */
  void conflict(long units) {
    conflicts.incrementAndGet();
    writeUnits.add((double) units);
  }

  void wrote(@Nullable ConsumedCapacity consumed) {
    writeUnits.add(units(consumed));
  }

  void read(@Nullable ConsumedCapacity consumed) {
    readUnits.add(units(consumed));
  }

  private static double units(@Nullable ConsumedCapacity consumed) {
    Double units = consumed == null ? null : consumed.capacityUnits();
    return units == null ? 0 : units;
  }

  /** Returns what came together since it was asked last; what is less than a unit waits. */
  StoreCosts drain() {
    return new StoreCosts(
        requests.getAndSet(0),
        conflicts.getAndSet(0),
        retries.getAndSet(0),
        whole(writeUnits),
        whole(readUnits));
  }

  private static long whole(DoubleAdder units) {
    long whole = (long) units.sum();
    units.add((double) -whole);
    return whole;
  }
}
