package io.tailrace.stage;

import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.joda.time.Instant;

/**
 * An element of a bundle with the place that what becomes of it belongs to. Immutable.
 *
 * @param timestamp the element's
 * @param window the one of its windows that it came in
 */
public record Held<T>(T element, Instant timestamp, BoundedWindow window) {
  /** Returns something else at the same place. */
  public <R> Held<R> with(R other) {
    return new Held<>(other, timestamp, window);
  }
}
