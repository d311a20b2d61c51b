package io.tailrace.online;

import static java.util.Objects.requireNonNull;

import com.google.common.base.Throwables;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.result.Column;
import io.tailrace.result.ColumnSpec;
import io.tailrace.result.Deletion;
import io.tailrace.result.Frame;
import io.tailrace.result.PersistencePolicy;
import io.tailrace.result.PersistencePolicy.Decision;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.RejectedCell;
import java.io.Serializable;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
  public static final Duration DEFAULT_MAX_CLOCK_SKEW = Duration.ofMinutes(5);

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

  private static final Logger LOG = LoggerFactory.getLogger(WriteOnline.class);

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);

  private static final ThreadFactory SENDERS =
      new ThreadFactoryBuilder().setDaemon(true).setNameFormat("write-online-%d").build();

  /** What an entity costs beside its cells, in bytes, roughly. */
  private static final int ENTITY_OVERHEAD = 200;

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

  /** Refuses observations further than this after their publication or the worker's clock. */
  public WriteOnline withMaxClockSkew(Duration skew) {
    checkPositive("maxClockSkew", skew);
    return new WriteOnline(store, skew, deletionRetention, clock);
  }

  /** Remembers deletions for this long, which must be as long as any bus keeps messages. */
  public WriteOnline withDeletionRetention(Duration retention) {
    checkPositive("deletionRetention", retention);
    return new WriteOnline(store, maxClockSkew, retention, clock);
  }

  /** Judges expiry and clocks that are ahead by another clock than the worker's. */
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
    TupleTag<WriteOutcome> outcomes = new TupleTag<>() {};
    TupleTag<Failure> failures = new TupleTag<>() {};
    PCollectionTuple outputs =
        results.apply(
            "Write",
            ParDo.of(new WriteFn(this, failures))
                .withOutputTags(outcomes, TupleTagList.of(failures)));
    return WithFailures.Result.of(outputs.get(outcomes), outputs.get(failures));
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    builder.add(DisplayData.item("onlineStore", store.uri()).withLabel("Online store"));
  }

  /** A result whose cells are on their way. */
  private static final class Pending implements EntityWrite.Owner {
    // Let go once everything is settled: a bundle may bring many large messages.
    @Nullable Result result;
    @Nullable WriteOutcome outcome;
    final org.joda.time.Instant timestamp;
    final BoundedWindow window;
    int written;
    int stale;
    int duplicate;
    int expired;
    int skipped;
    int rejected;
    int reported;
    Reason reason = Reason.REASON_UNSPECIFIED;
    List<RejectedCell> rejectedCells = List.of();

    Pending(Result result, org.joda.time.Instant timestamp, BoundedWindow window) {
      this.result = result;
      this.timestamp = timestamp;
      this.window = window;
    }

    @Override
    public void settled(EntityWrite.CellOutcome outcome) {
      switch (outcome) {
        case WRITTEN -> written++;
        case STALE -> stale++;
        case DUPLICATE -> duplicate++;
        case EXPIRED -> expired++;
      }
    }

    @Override
    public void rejected(EntityKey key, String name, String message) {
      reject(
          Reason.REJECTED_BY_STORE,
          key.namespace(),
          key.primaryKey(),
          name.isEmpty() ? "" : key.namespace() + "." + name,
          message);
    }

    void reject(Reason why, String namespace, String key, String feature, String message) {
      rejected++;
      if (rejectedCells.isEmpty()) {
        reason = why;
        rejectedCells = new ArrayList<>();
      }
      if (rejectedCells.size() < Failure.MAX_CELLS) {
        rejectedCells.add(
            RejectedCell.newBuilder()
                .setNamespace(namespace)
                .setPrimaryKey(key)
                .setFeature(feature)
                .setMessage(message)
                .build());
      }
    }

    /** Computes the outcome, once no cell is on its way any more. */
    void close() {
      if (outcome == null) {
        Result settled = requireNonNull(result);
        outcome =
            new WriteOutcome(
                settled.operationId(),
                settled.message().publishedAt(),
                written,
                stale,
                duplicate,
                expired,
                skipped,
                rejected);
        if (rejectedCells.isEmpty()) {
          result = null;
        }
      }
    }

    /** Returns the failure of the cells that were rejected since the last call. */
    Optional<Failure> takeFailure() {
      if (rejectedCells.isEmpty()) {
        return Optional.empty();
      }
      RejectedCell first = rejectedCells.get(0);
      String what =
          (first.getFeature().isEmpty() ? first.getNamespace() : first.getFeature())
              + " of '"
              + first.getPrimaryKey()
              + "': "
              + first.getMessage();
      int count = rejected - reported;
      Failure failure =
          Failure.ofCells(
              STAGE,
              reason,
              count == 1 ? what : what + "; and " + (count - 1) + " more",
              rejectedCells,
              count,
              requireNonNull(result).message());
      rejectedCells = new ArrayList<>();
      reported = rejected;
      return Optional.of(failure);
    }
  }

  /** Driven without a runner by tests of what many writers do. */
  static final class WriteFn extends DoFn<Result, WriteOutcome> {
    private static final long serialVersionUID = 1;

    private final OnlineStore store;
    private final long maxClockSkewMicros;
    private final long retentionMicros;
    private final SerializableClock clock;
    private final TupleTag<Failure> failures;

    private final WriteCounts counts = new WriteCounts();

    private transient OnlineStore.@Nullable Connection connection;
    private transient @Nullable ExecutorService sender;
    private transient @Nullable Future<?> underWay;
    private transient Map<EntityKey, EntityWrite> writes;
    private transient List<Pending> pending;
    private transient int closed;
    private transient int sent;
    private transient long bufferedBytes;
    private transient long cellBytes;
    private transient long now;

    WriteFn(WriteOnline spec, TupleTag<Failure> failures) {
      this.store = spec.store;
      this.maxClockSkewMicros = Micros.of(spec.maxClockSkew);
      this.retentionMicros = Micros.of(spec.deletionRetention);
      this.clock = spec.clock;
      this.failures = failures;
    }

    @StartBundle
    public void startBundle() {
      writes = new HashMap<>();
      pending = new ArrayList<>();
      closed = 0;
      sent = 0;
      bufferedBytes = 0;
      cellBytes = 0;
      counts.clear();
      now = nowMicros();
    }

    @ProcessElement
    public void write(
        @Element Result result,
        @Timestamp org.joda.time.Instant timestamp,
        BoundedWindow window,
        MultiOutputReceiver out)
        throws UnavailableException {
      Pending owner = new Pending(result, timestamp, window);
      pending.add(owner);
      bufferedBytes += result.message().payload().length;
      long publishedAt = result.message().publishedAt();
      if (publishedAt > now) {
        now = nowMicros();
      }
      // A publisher whose clock is ahead stamps its messages ahead, too: the worker's clock counts
      // as well.
      long latest = Math.min(publishedAt, now) + maxClockSkewMicros;
      List<Frame> frames = result.frames();
      for (int f = 0; f < frames.size(); f++) {
        writeFrame(result, frames.get(f), latest, owner);
      }
      List<Deletion> deletions = result.deletions();
      for (int d = 0; d < deletions.size(); d++) {
        delete(result, deletions.get(d), latest, owner);
      }
      // Put out now rather than at the bundle's end, which would hold on to the message until then.
      owner.takeFailure().ifPresent(out.get(failures)::output);
      boolean heavy = bufferedBytes >= MAX_BUFFERED_BYTES;
      if (heavy || isFull() || result.message().endsBacklog()) {
        send(pending.size());
      }
      if (heavy) {
        // What is written and what is gathered would be in memory together.
        await();
      }
    }

    private void writeFrame(Result result, Frame frame, long latest, Pending owner)
        throws UnavailableException {
      List<Column> columns = frame.columns();
      long deletedUntil = keptUntil(result, 0);
      for (int row = 0; row < frame.rows(); row++) {
        EntityWrite write = null;
        String key = "";
        for (int c = 0; c < columns.size(); c++) {
          Column column = columns.get(c);
          ColumnSpec spec = column.spec();
          boolean isNull = column.isNull(row);
          Decision decision =
              isNull ? PersistencePolicy.onlineNull(spec) : PersistencePolicy.online(spec);
          if (decision != Decision.WRITE && decision != Decision.EVICT) {
            owner.skipped++;
            countSkipped(decision);
            continue;
          }
          if (key.isEmpty()) {
            key = frame.keys().text(row);
            if (key.isEmpty()) {
              owner.reject(
                  Reason.MISSING_FIELD,
                  frame.namespace(),
                  "",
                  "",
                  "the primary key of row " + row + " is empty");
              break;
            }
          }
          long observedAt = column.observedAt(row);
          if (observedAt > latest) {
            owner.reject(
                Reason.OBSERVED_IN_FUTURE,
                frame.namespace(),
                key,
                spec.feature(),
                tooLate(observedAt, result));
            continue;
          }
          byte[] cell;
          if (decision == Decision.EVICT) {
            cell =
                Cell.encodeTombstone(
                    observedAt, Math.max(deletedUntil, observedAt + retentionMicros));
          } else {
            long expiresAt = PersistencePolicy.expiresAt(observedAt, spec.maxStaleness());
            cell =
                isNull
                    ? Cell.encodeNull(spec.type(), observedAt, expiresAt)
                    : Cell.encode(column, row, observedAt, expiresAt);
          }
          if (write == null) {
            write = entity(result.environmentId(), frame.namespace(), key);
          }
          offer(write, spec.name(), cell, owner);
        }
      }
    }

    private void countSkipped(Decision why) {
      switch (why) {
        case NOT_COMPUTED -> counts.notComputed.add(1);
        case NO_MAX_STALENESS -> counts.noMaxStaleness.add(1);
        case SKIPPED_BY_FEATURE -> counts.skippedByFeature.add(1);
        case NULL_SKIPPED -> counts.nullSkipped.add(1);
        case WRITE, EVICT -> throw new IllegalArgumentException(why + " skips nothing");
      }
    }

    private void delete(Result result, Deletion deletion, long latest, Pending owner)
        throws UnavailableException {
      long observedAt = deletion.observedAt();
      long keptUntil = keptUntil(result, observedAt);
      for (int row = 0; row < deletion.keys().count(); row++) {
        String key = deletion.keys().text(row);
        if (key.isEmpty()) {
          owner.reject(
              Reason.MISSING_FIELD,
              deletion.namespace(),
              "",
              "",
              "the primary key of row " + row + " is empty");
        } else if (observedAt > latest) {
          owner.reject(
              Reason.OBSERVED_IN_FUTURE,
              deletion.namespace(),
              key,
              "",
              tooLate(observedAt, result));
        } else {
          EntityWrite write = entity(result.environmentId(), deletion.namespace(), key);
          if (deletion.wholeEntities()) {
            write.offerFence(observedAt, keptUntil, owner);
          }
          for (String name : deletion.names()) {
            offer(write, name, Cell.encodeTombstone(observedAt, keptUntil), owner);
          }
        }
      }
    }

    private void offer(EntityWrite write, String name, byte[] cell, Pending owner) {
      int gained = write.offer(name, cell, owner);
      bufferedBytes += gained;
      cellBytes += gained;
    }

    private EntityWrite entity(String environment, String namespace, String key)
        throws UnavailableException {
      if (isFull()) {
        // Amid a result, whose cells must not be settled by two threads at once.
        send(pending.size() - 1);
        await();
      }
      EntityKey entity = new EntityKey(environment, namespace, key);
      EntityWrite write = writes.get(entity);
      if (write == null) {
        write = new EntityWrite(entity);
        writes.put(entity, write);
        bufferedBytes += ENTITY_OVERHEAD;
      }
      return write;
    }

    /**
     * Until when a deletion must be remembered: older values can arrive for as long as the bus
     * keeps them, counted from when it was published, or observed if that is later.
     */
    private long keptUntil(Result result, long observedAt) {
      return Math.max(result.message().publishedAt(), observedAt) + retentionMicros;
    }

    private static String tooLate(long observedAt, Result result) {
      return "observed at "
          + Micros.instant(observedAt)
          + ", too far after its publication at "
          + Micros.instant(result.message().publishedAt())
          + " or after the writer's clock; check the publisher's clock";
    }

    private boolean isFull() {
      return bufferedBytes >= MAX_BUFFERED_BYTES || writes.size() >= MAX_BUFFERED_ENTITIES;
    }

    /**
     * Sends what has been gathered, once what was sent before has been written. Results go on being
     * gathered while the store works.
     *
     * @param complete how many results, from the bundle's first on, have no more cells to come
     */
    private void send(int complete) throws UnavailableException {
      await();
      sent = complete;
      bufferedBytes = 0;
      if (writes.isEmpty()) {
        closeSettled();
        return;
      }
      if (connection == null) {
        connection = store.connect();
        sender = Executors.newSingleThreadExecutor(SENDERS);
      }
      OnlineStore.Connection open = requireNonNull(connection);
      List<EntityWrite> batch = new ArrayList<>(writes.values());
      writes = new HashMap<>(2 * batch.size());
      long sentAt = nowMicros();
      underWay =
          requireNonNull(sender)
              .submit(
                  () -> {
                    open.write(batch, sentAt);
                    return null;
                  });
      counts.entitiesSent.add(batch.size());
      counts.bytesSent.add(cellBytes);
      cellBytes = 0;
    }

    /** Waits until everything that was sent has been written. */
    private void await() throws UnavailableException {
      Future<?> writing = underWay;
      if (writing != null) {
        underWay = null;
        try {
          writing.get();
        } catch (ExecutionException e) {
          Throwables.throwIfInstanceOf(e.getCause(), UnavailableException.class);
          Throwables.throwIfUnchecked(e.getCause());
          throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
          writing.cancel(true);
          Thread.currentThread().interrupt();
          throw new UnavailableException(store.uri() + ": interrupted while writing", e);
        }
      }
      closeSettled();
    }

    private void closeSettled() {
      long settledAt = closed < sent ? nowMicros() : 0;
      for (int i = closed; i < sent; i++) {
        Pending settled = pending.get(i);
        settled.close();
        counts.freshness.count(requireNonNull(settled.outcome).publishedAt(), settledAt, 1);
      }
      closed = Math.max(closed, sent);
    }

    @FinishBundle
    public void finishBundle(FinishBundleContext context) throws UnavailableException {
      send(pending.size());
      await();
      for (Pending each : pending) {
        each.close();
        context.output(requireNonNull(each.outcome), each.timestamp, each.window);
        each.takeFailure()
            .ifPresent(failure -> context.output(failures, failure, each.timestamp, each.window));
        counts.written.add(each.written);
        counts.stale.add(each.stale);
        counts.duplicate.add(each.duplicate);
        counts.expired.add(each.expired);
        counts.skipped.add(each.skipped);
        counts.rejected.add(each.rejected);
      }
      counts.settled.add(pending.size());
      counts.flush();
      pending = new ArrayList<>();
    }

    @Teardown
    public void tearDown() {
      ExecutorService thread = sender;
      OnlineStore.Connection open = connection;
      if (thread == null || open == null) {
        return;
      }
      sender = null;
      connection = null;
      if (underWay != null) {
        underWay.cancel(true);
      }
      // By the thread that uses it, which has one write to give up at most.
      thread.execute(open::close);
      thread.shutdown();
      try {
        if (!thread.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
          LOG.warn("{}: a connection is still being closed", store.uri());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private long nowMicros() {
      return Micros.of(clock.get());
    }
  }
}
