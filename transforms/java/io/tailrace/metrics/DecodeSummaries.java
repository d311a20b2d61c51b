package io.tailrace.metrics;

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

/**
 * Decodes messages of the metrics bus into valid {@link PublishedSummary}s. A message that is no
 * summary, breaks a rule of {@code metrics_summary.proto}, says what no store can hold, or is of an
 * environment that is not served, becomes a {@link Failure}; the messages around it go on. A
 * replayed message that names another writer as its addressee is passed over.
 */
public final class DecodeSummaries
    extends PTransform<
        PCollection<BusMessage>, WithFailures.Result<PCollection<PublishedSummary>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "DecodeSummaries";

  private final String writer;
  private final Set<String> environments;

  private DecodeSummaries(String writer, Set<String> environments) {
    this.writer = writer;
    this.environments = environments;
  }

  /**
   * Decodes for a writer.
   *
   * @param writer the writer's name, which replayed messages may be addressed to
   */
  public static DecodeSummaries forWriter(String writer) {
    return new DecodeSummaries(writer, Set.of());
  }

  /** Serves only these environments; empty: all. Summaries of others become failures. */
  public DecodeSummaries ofEnvironments(Set<String> served) {
    return new DecodeSummaries(writer, Set.copyOf(served));
  }

  @Override
  public WithFailures.Result<PCollection<PublishedSummary>, Failure> expand(
      PCollection<BusMessage> messages) {
    TupleTag<PublishedSummary> summaries = new TupleTag<>() {};
    TupleTag<Failure> failures = new TupleTag<>() {};
    PCollectionTuple outputs =
        messages.apply(
            "Decode",
            ParDo.of(new DecodeFn(writer, environments, summaries, failures))
                .withOutputTags(summaries, TupleTagList.of(failures)));
    return WithFailures.Result.of(outputs.get(summaries), outputs.get(failures));
  }

  private static final class DecodeFn extends DoFn<BusMessage, PublishedSummary> {
    private static final long serialVersionUID = 1;

    private final String writer;
    private final Set<String> environments;
    private final TupleTag<PublishedSummary> summaries;
    private final TupleTag<Failure> failures;
    private final Counter read = Metrics.counter(STAGE, "summaries_read");
    private final Counter readBytes = Metrics.counter(STAGE, "bytes_read");
    private final Counter addressedElsewhere =
        Metrics.counter(STAGE, "summaries_for_other_writers");
    private final Counter rejected = Metrics.counter(STAGE, "summaries_rejected");

    private transient long readInBundle;
    private transient long bytesInBundle;
    private transient long addressedElsewhereInBundle;
    private transient long rejectedInBundle;

    DecodeFn(
        String writer,
        Set<String> environments,
        TupleTag<PublishedSummary> summaries,
        TupleTag<Failure> failures) {
      this.writer = writer;
      this.environments = environments;
      this.summaries = summaries;
      this.failures = failures;
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
        PublishedSummary summary = SummaryDecoder.decode(message);
        String environment = summary.summary().getEnvironmentId();
        if (!environments.isEmpty() && !environments.contains(environment)) {
          throw new InvalidMessageException(
              Reason.UNKNOWN_ENVIRONMENT,
              "environment_id",
              "environment '"
                  + environment
                  + "' is not one of those served here: "
                  + String.join(", ", new TreeSet<>(environments)));
        }
        out.get(summaries).output(summary);
      } catch (InvalidMessageException e) {
        rejectedInBundle++;
        out.get(failures)
            .output(Failure.ofMessage(STAGE, e.reason(), e.field(), e.getMessage(), message));
      }
    }

    @FinishBundle
    public void finishBundle() {
      // Zeros too: a counter that appears with its first message hides that message from a rate.
      read.inc(readInBundle);
      readBytes.inc(bytesInBundle);
      addressedElsewhere.inc(addressedElsewhereInBundle);
      rejected.inc(rejectedInBundle);
    }
  }
}
