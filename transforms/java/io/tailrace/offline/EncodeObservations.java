package io.tailrace.offline;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.OutgoingMessage;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import java.io.IOException;
import java.time.Duration;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.GroupIntoBatches;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.Values;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.WithKeys;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.transforms.windowing.GlobalWindow;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.jspecify.annotations.Nullable;

/**
 * Encodes results as Parquet files, each a message of the streaming-insert bus: for every bundle
 * and environment a file for each type of values, one of deletions and one of the log of queries.
 * {@link ObservationSchema} says what they hold. Rows that can't be stored, because their key is
 * empty or they were observed in the future, become a {@link Failure}; the others are encoded.
 *
 * <p>A row costs little in a large file and much in a small one, so bundles should be large: on a
 * runner with small ones, gather results first ({@link #withGathering}).
 */
public final class EncodeObservations
    extends PTransform<
        PCollection<Result>, WithFailures.Result<PCollection<OutgoingMessage>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "EncodeObservations";

  /** How far a clock may be ahead: observations later than that are taken for its error. */
  public static final Duration DEFAULT_MAX_CLOCK_SKEW = Duration.ofMinutes(5);

  /** Bytes of the largest file, unless another limit is set: what Kafka takes by default. */
  public static final int DEFAULT_MAX_FILE_BYTES = 1_000_000;

  private static final int GATHERED_RESULTS = 20_000;
  private static final int GATHERING_KEYS = 8;

  private final int maxFileBytes;
  private final Duration maxClockSkew;
  private final Duration gathering;

  private EncodeObservations(int maxFileBytes, Duration maxClockSkew, Duration gathering) {
    this.maxFileBytes = maxFileBytes;
    this.maxClockSkew = maxClockSkew;
    this.gathering = gathering;
  }

  /** Encodes with the default limits. */
  public static EncodeObservations create() {
    return new EncodeObservations(DEFAULT_MAX_FILE_BYTES, DEFAULT_MAX_CLOCK_SKEW, Duration.ZERO);
  }

  /** Keeps files below the largest message that their bus takes. */
  public EncodeObservations withMaxFileBytes(int bytes) {
    if (bytes < 10_000) {
      throw new IllegalArgumentException("maxFileBytes must be 10,000 or more, not " + bytes);
    }
    return new EncodeObservations(bytes, maxClockSkew, gathering);
  }

  /** Refuses observations further than this after their publication or the worker's clock. */
  public EncodeObservations withMaxClockSkew(Duration skew) {
    if (skew.isNegative() || skew.isZero()) {
      throw new IllegalArgumentException("maxClockSkew must be above zero, not " + skew);
    }
    return new EncodeObservations(maxFileBytes, skew, gathering);
  }

  /**
   * Gathers results in the runner's state for so long before they are encoded; zero: not at all.
   * For runners whose bundles are a handful of results, such as Dataflow.
   */
  public EncodeObservations withGathering(Duration duration) {
    return new EncodeObservations(maxFileBytes, maxClockSkew, duration);
  }

  @Override
  public WithFailures.Result<PCollection<OutgoingMessage>, Failure> expand(
      PCollection<Result> results) {
    TupleTag<OutgoingMessage> files = new TupleTag<>() {};
    TupleTag<Failure> failures = new TupleTag<>() {};
    PCollection<Result> gathered = results;
    if (!gathering.isZero()) {
      gathered =
          results
              .apply(
                  "Spread",
                  WithKeys.<Integer, Result>of(
                          result -> Math.floorMod(result.hashCode(), GATHERING_KEYS))
                      .withKeyType(TypeDescriptors.integers()))
              .apply(
                  "Gather",
                  GroupIntoBatches.<Integer, Result>ofSize(GATHERED_RESULTS)
                      .withMaxBufferingDuration(
                          org.joda.time.Duration.millis(gathering.toMillis())))
              .apply("Batches", Values.create())
              .apply("Results", Flatten.iterables());
    }
    PCollectionTuple outputs =
        gathered.apply(
            "Encode",
            ParDo.of(new EncodeFn(this, files, failures))
                .withOutputTags(files, TupleTagList.of(failures)));
    return WithFailures.Result.of(outputs.get(files), outputs.get(failures));
  }

  private static final class EncodeFn extends DoFn<Result, OutgoingMessage> {
    private static final long serialVersionUID = 1;

    private final int maxFileBytes;
    private final Duration maxClockSkew;
    private final TupleTag<OutgoingMessage> files;
    private final TupleTag<Failure> failures;
    private transient @Nullable ResultEncoder encoder;
    private transient org.joda.time.Instant timestamp;
    private transient BoundedWindow window;

    EncodeFn(EncodeObservations spec, TupleTag<OutgoingMessage> files, TupleTag<Failure> failures) {
      this.maxFileBytes = spec.maxFileBytes;
      this.maxClockSkew = spec.maxClockSkew;
      this.files = files;
      this.failures = failures;
    }

    @Setup
    public void setUp() {
      encoder = new ResultEncoder(maxFileBytes, maxClockSkew);
    }

    @StartBundle
    public void startBundle() {
      timestamp = BoundedWindow.TIMESTAMP_MIN_VALUE;
      window = GlobalWindow.INSTANCE;
      // Of a bundle that failed.
      requireNonNull(encoder).clear();
    }

    @ProcessElement
    public void encode(
        @Element Result result,
        @Timestamp org.joda.time.Instant time,
        BoundedWindow ofResult,
        MultiOutputReceiver out)
        throws IOException {
      timestamp = time;
      window = ofResult;
      requireNonNull(encoder).add(result, out.get(files)::output, out.get(failures)::output);
    }

    @FinishBundle
    public void finishBundle(FinishBundleContext context) throws IOException {
      requireNonNull(encoder)
          .flush(
              file -> context.output(file, timestamp, window),
              failure -> context.output(failures, failure, timestamp, window));
    }

    @Teardown
    public void tearDown() {
      ResultEncoder open = encoder;
      encoder = null;
      if (open != null) {
        open.close();
      }
    }
  }
}
