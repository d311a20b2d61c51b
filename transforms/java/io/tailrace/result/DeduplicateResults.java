package io.tailrace.result;

import io.tailrace.stage.Failure;
import io.tailrace.stage.Outputs;
import java.time.Duration;
import org.apache.beam.sdk.transforms.Deduplicate;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.SerializableFunction;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TypeDescriptors;

/**
 * Passes a result on once, however often it was published, for stages that count results: by its
 * operation id and part, whatever else is in it. It shuffles results, and keeps state for each of
 * them. No result can fail here; the failures are empty.
 */
public final class DeduplicateResults
    extends PTransform<PCollection<Result>, WithFailures.Result<PCollection<Result>, Failure>> {
  private static final long serialVersionUID = 1;

  private static final String STAGE = "DeduplicateResults";

  private final Duration within;

  private DeduplicateResults(Duration within) {
    this.within = within;
  }

  /**
   * Finds what is published again within a time after it came first, by the worker's clock.
   *
   * @throws IllegalArgumentException if it is not above zero
   */
  public static DeduplicateResults within(Duration time) {
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException("the time must be above zero: " + time);
    }
    return new DeduplicateResults(time);
  }

  @Override
  public WithFailures.Result<PCollection<Result>, Failure> expand(PCollection<Result> results) {
    return Outputs.unfailing(
        results.apply(
            "ByOperation",
            Deduplicate.<Result, String>withRepresentativeValueFn(new OperationOf())
                .withRepresentativeType(TypeDescriptors.strings())
                .withDuration(org.joda.time.Duration.millis(within.toMillis()))),
        STAGE);
  }

  private static final class OperationOf implements SerializableFunction<Result, String> {
    private static final long serialVersionUID = 1;

    @Override
    public String apply(Result result) {
      return result.part()
          + " "
          + result.environmentId().length()
          + " "
          + result.environmentId()
          + result.operationId();
    }
  }
}
