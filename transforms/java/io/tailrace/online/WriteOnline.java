package io.tailrace.online;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.result.Admission;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Gathered;
import io.tailrace.stage.Held;
import io.tailrace.stage.Outputs;
import io.tailrace.stage.ReaderClock;
import java.io.Serializable;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.PCollection;
import org.jspecify.annotations.Nullable;

/**
 * Writes results to an online store, so that for every feature of every entity the newest
 * observation stands, whatever the order, the repetition and the number of writers: the rule is
 * {@link Cell}'s.
 *
 * <pre>{@code
 * WithFailures.Result<PCollection<WriteOutcome>, Failure> written =
 *     results.apply("WriteOnline", WriteOnline.to("redis://localhost:6379/0"));
 * }</pre>
 *
 * <p>Puts out what became of each result, when it has been written, and a {@link Failure} for each
 * result of which cells can never be stored (the others are). A store that is down is no failure:
 * it is tried again for a while, then the bundle fails and the runner repeats it, so nothing is
 * lost.
 *
 * <p>Writes to an entity are folded into one until they are sent: when a bundle ends, when nothing
 * more was waiting on the bus ({@link io.tailrace.bus.BusMessage#endsBacklog}), or when there are
 * {@link #MAX_BUFFERED_ENTITIES} or {@link #MAX_BUFFERED_BYTES}. The store works in a thread of its
 * own while the next results are gathered; a bundle ends when everything has been written.
 */
public final class WriteOnline
    extends PTransform<
        PCollection<Result>, WithFailures.Result<PCollection<WriteOutcome>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "WriteOnline";

  /** How far a clock may be ahead: observations later than that would freeze a value. */
  public static final Duration DEFAULT_MAX_CLOCK_SKEW = Admission.DEFAULT_MAX_CLOCK_SKEW;

  /** For how long deletions are remembered: as long as a bus keeps what they must hold back. */
  public static final Duration DEFAULT_DELETION_RETENTION = Duration.ofDays(14);

  /** Messages and cells that are held before they are sent, in bytes: a 32nd of the heap. */
  static final long MAX_BUFFERED_BYTES =
      Math.min(64L << 20, Math.max(2L << 20, Runtime.getRuntime().maxMemory() / 32));

  /**
   * Entities that are held before they are sent. So many that an entity which comes often is sent
   * once, and so few that what is held stays in the processor's cache and the store is kept busy.
   */
  static final int MAX_BUFFERED_ENTITIES = 4_000;

  /** Tells the time; a clock of its own makes a test's expiry exact. */
  public interface SerializableClock extends Supplier<Instant>, Serializable {}

  private final OnlineStore store;
  private final Duration maxClockSkew;
  private final Duration deletionRetention;
  private final SerializableClock clock;

  private WriteOnline(
      OnlineStore store,
      Duration maxClockSkew,
      Duration deletionRetention,
      SerializableClock clock) {
    this.store = store;
    this.maxClockSkew = maxClockSkew;
    this.deletionRetention = deletionRetention;
    this.clock = clock;
  }

  /**
   * Writes to the store that a URI names.
   *
   * @throws IllegalArgumentException if it names none; see {@link OnlineStores#at}
   */
  public static WriteOnline to(String uri) {
    return to(OnlineStores.at(uri));
  }

  /** Writes to a store. */
  public static WriteOnline to(OnlineStore store) {
    return new WriteOnline(
        store,
        DEFAULT_MAX_CLOCK_SKEW,
        DEFAULT_DELETION_RETENTION,
        () -> Clock.systemUTC().instant());
  }

  /**
   * Refuses observations further than this after their publication. It is also how far the worker's
   * clock may be behind the store's before its bundles fail.
   */
  public WriteOnline withMaxClockSkew(Duration skew) {
    checkPositive("maxClockSkew", skew);
    return new WriteOnline(store, skew, deletionRetention, clock);
  }

  /**
   * Remembers deletions for this long after their publication, or their reading if that is later:
   * which must be as long as any bus keeps messages.
   */
  public WriteOnline withDeletionRetention(Duration retention) {
    checkPositive("deletionRetention", retention);
    return new WriteOnline(store, maxClockSkew, retention, clock);
  }

  /**
   * Judges what has expired, and what is ahead where the bus does not say when it was published, by
   * another clock than the worker's.
   */
  public WriteOnline withClock(SerializableClock otherClock) {
    return new WriteOnline(store, maxClockSkew, deletionRetention, otherClock);
  }

  private static void checkPositive(String what, Duration duration) {
    if (duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException(what + " must be above zero, not " + duration);
    }
  }

  @Override
  public WithFailures.Result<PCollection<WriteOutcome>, Failure> expand(
      PCollection<Result> results) {
    return Outputs.of(results, "Write", new WriteFn(this));
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    builder.add(DisplayData.item("onlineStore", store.uri()).withLabel("Online store"));
  }

  /** Driven without a runner by tests of what many writers do. */
  static final class WriteFn extends DoFn<Result, WriteOutcome> {
    private static final long serialVersionUID = 1;

    private final OnlineStore store;
    private final Duration maxClockSkew;
    private final long retentionMicros;
    private final SerializableClock clock;
    private final WriteCounts counts = new WriteCounts();

    private transient @Nullable EntitySender sender;
    private transient ReaderClock readerClock;
    private transient MemoryBudget.@Nullable Share memory;
    // Of this bundle.
    private transient Gathered<ResultWrite> gathered;
    private transient GatheredCells cells;
    private transient Outputs<WriteOutcome> outputs;
    private transient Outputs.@Nullable Receiver<WriteOutcome> receiver;
    private transient List<Held<ResultWrite>> sent;

    WriteFn(WriteOnline spec) {
      this.store = spec.store;
      this.maxClockSkew = spec.maxClockSkew;
      this.retentionMicros = Micros.of(spec.deletionRetention);
      this.clock = spec.clock;
    }

    @Setup
    public void setUp() {
      readerClock = new ReaderClock(clock, maxClockSkew);
      memory = MemoryBudget.ofProcess().share();
    }

    @StartBundle
    public void startBundle() {
      gathered =
          Gathered.<ResultWrite>upTo(MAX_BUFFERED_BYTES, ResultWrite::heldBytes)
              .untilBacklogEnds(ResultWrite::message)
              .within(requireNonNull(memory));
      cells =
          new GatheredCells(
              new Admission(readerClock),
              new GatheredCells.Retention(retentionMicros, Micros.of(clock.get())),
              counts,
              new Room());
      outputs = new Outputs<>();
      sent = List.of();
      if (sender != null) {
        sender.forget();
      }
      counts.clear();
    }

    @ProcessElement
    public void write(
        @Element Result result,
        @Timestamp org.joda.time.Instant timestamp,
        BoundedWindow window,
        MultiOutputReceiver out)
        throws UnavailableException {
      receiver = outputs.now(out, window);
      readerClock.check(store.uri(), sender()::now);
      counts.receive(result);
      ResultWrite write = new ResultWrite(result);
      cells.add(result, write);
      // Not before: amid it, only those before it are complete.
      gathered.add(write, timestamp, window);
      if (isFull()) {
        send();
      }
    }

    @FinishBundle
    public void finishBundle(FinishBundleContext context) throws UnavailableException {
      receiver = outputs.atEnd(context);
      send();
      settle();
      counts.finish();
    }

    private EntitySender sender() {
      EntitySender open = sender;
      if (open == null) {
        open = EntitySender.to(store);
        sender = open;
      }
      return open;
    }

    private boolean isFull() {
      return gathered.isDue() || cells.entities() >= MAX_BUFFERED_ENTITIES;
    }

    /**
     * Sends what has been gathered, once what was sent before has been written. Results go on being
     * gathered while the store works.
     */
    private void send() throws UnavailableException {
      boolean heavy = gathered.isHeavy();
      settle();
      sent = gathered.take();
      List<EntityWrite> writes = cells.take();
      if (!writes.isEmpty()) {
        sender().send(writes, Micros.of(clock.get()));
      }
      if (heavy) {
        // What is written and what is gathered would be in memory together.
        settle();
      }
    }

    /** Waits until what was sent has been written, and puts out what became of its results. */
    private void settle() throws UnavailableException {
      if (sender != null) {
        sender.await();
        counts.count(sender.drainCosts());
      }
      gathered.written();
      if (sent.isEmpty()) {
        return;
      }
      long settledAt = Micros.of(clock.get());
      Outputs.Receiver<WriteOutcome> out = requireNonNull(receiver);
      for (Held<ResultWrite> each : sent) {
        WriteOutcome outcome = each.element().outcome();
        counts.count(outcome, settledAt);
        out.put(each, outcome);
        each.element().failure().ifPresent(failure -> out.fail(each, failure));
      }
      sent = List.of();
    }

    /** Of the cells: what they hold, and where they go when that is enough. */
    private final class Room implements GatheredCells.Holder {
      @Override
      public void grow(int bytes) {
        gathered.grow(bytes);
      }

      @Override
      public void makeRoom() throws UnavailableException {
        if (isFull()) {
          send();
        }
      }
    }

    @Teardown
    public void tearDown() {
      if (memory != null) {
        memory.close();
      }
      EntitySender open = sender;
      sender = null;
      if (open != null) {
        open.close();
      }
    }
  }
}
