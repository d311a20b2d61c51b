package io.tailrace.pipelines.benchmark;

import java.util.concurrent.atomic.LongAdder;
import org.apache.beam.sdk.transforms.DoFn;

/**
 * Counts what comes out of a stage, once a bundle, for all instances in the process: a benchmark
 * measures one pipeline at a time, and starts with {@link #COUNTED} at zero.
 */
final class CountFn<T> extends DoFn<T, Void> {
  private static final long serialVersionUID = 1;

  /** What was counted in bundles that have ended. */
  static final LongAdder COUNTED = new LongAdder();

  private transient long count;

  @StartBundle
  public void startBundle() {
    count = 0;
  }

  @ProcessElement
  public void count() {
    count++;
  }

  @FinishBundle
  public void finishBundle() {
    COUNTED.add(count);
  }
}
