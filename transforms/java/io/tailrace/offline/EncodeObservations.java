package io.tailrace.offline;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.result.Admission;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Held;
import io.tailrace.stage.Outputs;
import io.tailrace.stage.ReaderClock;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.GroupIntoBatches;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.Values;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.WithKeys;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.PCollection;
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
  public static final Duration DEFAULT_MAX_CLOCK_SKEW = Admission.DEFAULT_MAX_CLOCK_SKEW;

  /** Bytes of the largest file, unless another limit is set: what Kafka takes by default. */
  public static final int DEFAULT_MAX_FILE_BYTES = 1_000_000;

  private static final int GATHERED_RESULTS = 20_000;
  private static final int GATHERING_KEYS = 8;

  private final int maxFileBytes;
  private final Duration maxClockSkew;
  private final Duration gathering;
  private final @Nullable OfflineStore clockOf;

  private EncodeObservations(
      int maxFileBytes, Duration maxClockSkew, Duration gathering, @Nullable OfflineStore clockOf) {
    this.maxFileBytes = maxFileBytes;
    this.maxClockSkew = maxClockSkew;
    this.gathering = gathering;
    this.clockOf = clockOf;
  }

  /** Encodes with the default limits. */
  public static EncodeObservations create() {
    return new EncodeObservations(
        DEFAULT_MAX_FILE_BYTES, DEFAULT_MAX_CLOCK_SKEW, Duration.ZERO, null);
  }

  /** Holds the worker's clock against a store's: one that is behind it fails its bundles. */
  public EncodeObservations withClockOf(OfflineStore store) {
    return new EncodeObservations(maxFileBytes, maxClockSkew, gathering, store);
  }

  /** Keeps files below the largest message that their bus takes. */
  public EncodeObservations withMaxFileBytes(int bytes) {
    if (bytes < 10_000) {
      throw new IllegalArgumentException("maxFileBytes must be 10,000 or more, not " + bytes);
    }
    return new EncodeObservations(bytes, maxClockSkew, gathering, clockOf);
  }

  /** Refuses observations further than this after their publication. */
  public EncodeObservations withMaxClockSkew(Duration skew) {
    if (skew.isNegative() || skew.isZero()) {
      throw new IllegalArgumentException("maxClockSkew must be above zero, not " + skew);
    }
    return new EncodeObservations(maxFileBytes, skew, gathering, clockOf);
  }

  /**
   * Gathers results in the runner's state for so long before they are encoded; zero: not at all.
   * For runners whose bundles are a handful of results, such as Dataflow.
   */
  public EncodeObservations withGathering(Duration duration) {
    return new EncodeObservations(maxFileBytes, maxClockSkew, duration, clockOf);
  }

  @Override
  public WithFailures.Result<PCollection<OutgoingMessage>, Failure> expand(
      PCollection<Result> results) {
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
    return Outputs.of(gathered, "Encode", new EncodeFn(this));
  }

  private static final class EncodeFn extends DoFn<Result, OutgoingMessage> {
    private static final long serialVersionUID = 1;

    private final int maxFileBytes;
    private final Duration maxClockSkew;
    private final @Nullable OfflineStore clockOf;
    private transient @Nullable ResultEncoder encoder;
    private transient ReaderClock clock;
    private transient Outputs<OutgoingMessage> outputs;
    private transient @Nullable Held<Result> last;

    EncodeFn(EncodeObservations spec) {
      this.maxFileBytes = spec.maxFileBytes;
      this.maxClockSkew = spec.maxClockSkew;
      this.clockOf = spec.clockOf;
    }

    @Setup
    public void setUp() {
      clock = new ReaderClock(Instant::now, maxClockSkew);
      encoder = new ResultEncoder(maxFileBytes, clock);
    }

    @StartBundle
    public void startBundle() {
      outputs = new Outputs<>();
      last = null;
      // Of a bundle that failed.
      requireNonNull(encoder).clear();
    }

    @ProcessElement
    public void encode(
        @Element Result result,
        @Timestamp org.joda.time.Instant timestamp,
        BoundedWindow window,
        MultiOutputReceiver out)
        throws IOException, UnavailableException {
      OfflineStore store = clockOf;
      if (store != null) {
        clock.check(store.uri(), store::now);
      }
      Outputs.Receiver<OutgoingMessage> now = outputs.now(out, window);
      if (last != null && !last.window().equals(window)) {
        // A file is in one window, and so are its rows.
        flush(now);
      }
      Held<Result> held = new Held<>(result, timestamp, window);
      last = held;
      requireNonNull(encoder)
          .add(result, file -> now.put(held, file), failure -> now.fail(held, failure));
    }

    @FinishBundle
    public void finishBundle(FinishBundleContext context) throws IOException {
      flush(outputs.atEnd(context));
      last = null;
    }

    private void flush(Outputs.Receiver<OutgoingMessage> out) throws IOException {
      Held<Result> of = last;
      if (of != null) {
        requireNonNull(encoder).flush(file -> out.put(of, file), failure -> out.fail(of, failure));
      }
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
