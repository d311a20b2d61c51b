package io.tailrace.result;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.Set;
import java.util.TreeSet;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;
import org.jspecify.annotations.Nullable;

/**
 * Decodes messages of the result bus into validated {@link Result}s. A message that is not a valid
 * {@code tailrace.v1.QueryResult}, or of an environment that is not served, becomes a {@link
 * Failure} that names the reason and the field; the messages around it go on. A replayed message
 * that names another writer as its addressee is passed over.
 */
public final class DecodeResults
    extends PTransform<PCollection<BusMessage>, WithFailures.Result<PCollection<Result>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "DecodeResults";

  private final String writer;
  private final Set<String> environments;

  private DecodeResults(String writer, Set<String> environments) {
    this.writer = writer;
    this.environments = environments;
  }

  /**
   * Decodes for a writer.
   *
   * @param writer the writer's name, which replayed messages may be addressed to
   */
  public static DecodeResults forWriter(String writer) {
    return new DecodeResults(writer, Set.of());
  }

  /** Serves only these environments; empty: all. Results of others become failures. */
  public DecodeResults ofEnvironments(Set<String> served) {
    return new DecodeResults(writer, Set.copyOf(served));
  }

  @Override
  public WithFailures.Result<PCollection<Result>, Failure> expand(
      PCollection<BusMessage> messages) {
    TupleTag<Result> results = new TupleTag<>() {};
    TupleTag<Failure> failures = new TupleTag<>() {};
    PCollectionTuple outputs =
        messages.apply(
            "Decode",
            ParDo.of(new DecodeFn(writer, environments, results, failures))
                .withOutputTags(results, TupleTagList.of(failures)));
    return WithFailures.Result.of(outputs.get(results), outputs.get(failures));
  }

  private static final class DecodeFn extends DoFn<BusMessage, Result> {
    private static final long serialVersionUID = 1;

    private final String writer;
    private final Set<String> environments;
    private final TupleTag<Result> results;
    private final TupleTag<Failure> failures;
    private final Counter read = Metrics.counter(STAGE, "results_read");
    private final Counter readBytes = Metrics.counter(STAGE, "bytes_read");
    private final Counter addressedElsewhere = Metrics.counter(STAGE, "results_for_other_writers");
    private final Counter rejected = Metrics.counter(STAGE, "results_rejected");

    private transient @Nullable ResultDecoder decoder;
    // Counted per bundle: a metric's update costs more than decoding a small field.
    private transient long readInBundle;
    private transient long bytesInBundle;
    private transient long addressedElsewhereInBundle;
    private transient long rejectedInBundle;

    DecodeFn(
        String writer,
        Set<String> environments,
        TupleTag<Result> results,
        TupleTag<Failure> failures) {
      this.writer = writer;
      this.environments = environments;
      this.results = results;
      this.failures = failures;
    }

    @Setup
    public void setUp() {
      decoder = new ResultDecoder();
    }

    @StartBundle
    public void startBundle() {
      readInBundle = 0;
      bytesInBundle = 0;
      addressedElsewhereInBundle = 0;
      rejectedInBundle = 0;
    }

    @ProcessElement
    public void decode(@Element BusMessage message, MultiOutputReceiver out) {
      readInBundle++;
      bytesInBundle += message.payload().length;
      if (!message.addressee().isEmpty() && !message.addressee().equals(writer)) {
        addressedElsewhereInBundle++;
        return;
      }
      try {
        Result result = requireNonNull(decoder).decode(message);
        if (!environments.isEmpty() && !environments.contains(result.environmentId())) {
          throw new InvalidMessageException(
              Reason.UNKNOWN_ENVIRONMENT,
              "environment_id",
              "environment '"
                  + result.environmentId()
                  + "' is not one of those served here: "
                  + String.join(", ", new TreeSet<>(environments)));
        }
        out.get(results).output(result);
      } catch (InvalidMessageException e) {
        rejectedInBundle++;
        out.get(failures)
            .output(Failure.ofMessage(STAGE, e.reason(), e.field(), e.getMessage(), message));
      }
    }

    @FinishBundle
    public void finishBundle() {
      read.inc(readInBundle);
      readBytes.inc(bytesInBundle);
      addressedElsewhere.inc(addressedElsewhereInBundle);
      rejected.inc(rejectedInBundle);
    }
  }
}
