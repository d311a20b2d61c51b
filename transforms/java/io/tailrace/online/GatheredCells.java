package io.tailrace.online;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.result.Admission;
import io.tailrace.result.Column;
import io.tailrace.result.ColumnSpec;
import io.tailrace.result.Deletion;
import io.tailrace.result.Frame;
import io.tailrace.result.PersistencePolicy;
import io.tailrace.result.PersistencePolicy.Decision;
import io.tailrace.result.Result;
import io.tailrace.stage.RejectedCell;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Makes cells of results and folds those of an entity into one write, until they are taken to be
 * sent. Not thread-safe.
 */
final class GatheredCells {
  /** What an entity costs beside its cells, in bytes, roughly. */
  private static final int ENTITY_OVERHEAD = 200;

  /** Who holds the results, and sends what was gathered when that is enough. */
  interface Holder {
    /** Counts bytes that are held. */
    void grow(int bytes);

    /** Makes room before another entity is added, amid a result. */
    void makeRoom() throws UnavailableException;
  }

  private final Admission admission;
  private final Retention retention;
  private final WriteCounts counts;
  private final Holder holder;
  private Map<EntityKey, EntityWrite> writes = new HashMap<>();
  private long cellBytes;

  /**
   * For how long deletions are remembered.
   *
   * @param micros how long, in microseconds
   * @param readAt when what is gathered was read, in microseconds since the epoch
   */
  record Retention(long micros, long readAt) {
    /**
     * Until when a deletion must be remembered: older values can arrive for as long as the bus
     * keeps them, counted from its publication, or from its reading if that is later.
     */
    long of(Result result) {
      return Micros.plus(Math.max(result.message().time().publishTime(readAt), readAt), micros);
    }

    /**
     * Whether a message that was sent back is so old that a deletion from after it may be
     * forgotten, so that its values could come back.
     */
    boolean isTooOld(Result result) {
      return result.message().replayed().isPresent()
          && result.message().time().earliest(readAt) < Micros.plus(readAt, -micros);
    }
  }

  /** Gathers for a bundle. */
  GatheredCells(Admission admission, Retention retention, WriteCounts counts, Holder holder) {
    this.admission = admission;
    this.retention = retention;
    this.counts = counts;
    this.holder = holder;
  }

  /** Returns how many entities are gathered. */
  int entities() {
    return writes.size();
  }

  /** Returns what is gathered, and gathers anew. */
  List<EntityWrite> take() {
    List<EntityWrite> taken = new ArrayList<>(writes.values());
    counts.entitiesSent.add(taken.size());
    counts.bytesSent.add(cellBytes);
    writes = new HashMap<>(2 * taken.size());
    cellBytes = 0;
    return taken;
  }

  /** Adds the cells and fences of a result. */
  void add(Result result, ResultWrite owner) throws UnavailableException {
    admission.begin(result);
    List<Frame> frames = result.frames();
    for (int f = 0; f < frames.size(); f++) {
      add(result, f, owner);
    }
    List<Deletion> deletions = result.deletions();
    for (int d = 0; d < deletions.size(); d++) {
      add(result, deletions.get(d), d, owner);
    }
  }

  private void add(Result result, int index, ResultWrite owner) throws UnavailableException {
    Frame frame = result.frames().get(index);
    List<Column> columns = frame.columns();
    boolean tooOld = retention.isTooOld(result);
    for (int row = 0; row < frame.rows(); row++) {
      EntityWrite write = null;
      String key = "";
      int withoutKey = 0;
      for (int c = 0; c < columns.size(); c++) {
        Column column = columns.get(c);
        ColumnSpec spec = column.spec();
        boolean isNull = column.isNull(row);
        Decision decision =
            isNull ? PersistencePolicy.onlineNull(spec) : PersistencePolicy.online(spec);
        if (decision != Decision.WRITE && decision != Decision.EVICT) {
          skip(decision, owner);
          continue;
        }
        if (key.isEmpty()) {
          if (!Admission.isKey(frame.keys(), row)) {
            withoutKey++;
            continue;
          }
          key = frame.keys().text(row);
        }
        long observedAt = column.observedAt(row);
        if (!admission.isInTime(observedAt)) {
          admission.rejectTime(
              owner.rejected(),
              place(index, c) + ".observed_at[" + (column.hasOneTime() ? 0 : row) + "]",
              frame.namespace(),
              key,
              spec.feature(),
              observedAt,
              1);
          continue;
        }
        if (tooOld && decision == Decision.WRITE) {
          rejectOld(owner, place(index, c), frame.namespace(), key, spec.feature());
          continue;
        }
        if (write == null) {
          write = entity(result.environmentId(), frame.namespace(), key);
        }
        if (decision == Decision.EVICT) {
          write.remember(retention.of(result));
          offer(write, spec.name(), Cell.encodeTombstone(observedAt), owner);
          continue;
        }
        long expiresAt =
            PersistencePolicy.expiresAt(
                observedAt, PersistencePolicy.maxStaleness(frame.namespace(), spec));
        offer(
            write,
            spec.name(),
            isNull
                ? Cell.encodeNull(spec.type(), observedAt, expiresAt)
                : Cell.encode(column, row, observedAt, expiresAt),
            owner);
      }
      if (withoutKey > 0) {
        Admission.rejectKey(
            owner.rejected(), "frames[" + index + "]", frame.namespace(), row, withoutKey);
      }
    }
  }

  private static String place(int frame, int column) {
    return "frames[" + frame + "].columns[" + column + "]";
  }

  private void rejectOld(
      ResultWrite owner, String place, String namespace, String key, String feature) {
    owner
        .rejected()
        .addAt(
            place,
            new RejectedCell(
                Reason.TOO_OLD,
                namespace,
                key,
                feature,
                "sent back more than "
                    + TimeUnit.MICROSECONDS.toHours(retention.micros)
                    + " h after its publication: a deletion in between may be forgotten"
                    + " (--deletionRetention)"),
            1);
  }

  private void skip(Decision why, ResultWrite owner) {
    owner.skip();
    switch (why) {
      case NOT_COMPUTED -> counts.notComputed.add(1);
      case NO_MAX_STALENESS -> counts.noMaxStaleness.add(1);
      case SKIPPED_BY_FEATURE -> counts.skippedByFeature.add(1);
      case NULL_SKIPPED -> counts.nullSkipped.add(1);
      case WRITE, EVICT -> throw new IllegalArgumentException(why + " skips nothing");
    }
  }

  private void add(Result result, Deletion deletion, int index, ResultWrite owner)
      throws UnavailableException {
    long observedAt = deletion.observedAt();
    String place = "deletions[" + index + "]";
    int cells = Math.max(1, deletion.names().size());
    for (int row = 0; row < deletion.keys().count(); row++) {
      if (!Admission.isKey(deletion.keys(), row)) {
        Admission.rejectKey(owner.rejected(), place, deletion.namespace(), row, cells);
        continue;
      }
      String key = deletion.keys().text(row);
      if (!admission.isInTime(observedAt)) {
        admission.rejectTime(
            owner.rejected(),
            place + ".observed_at",
            deletion.namespace(),
            key,
            "",
            observedAt,
            cells);
        continue;
      }
      EntityWrite write = entity(result.environmentId(), deletion.namespace(), key);
      write.remember(retention.of(result));
      if (deletion.wholeEntities()) {
        write.offerFence(observedAt, owner);
      }
      for (String name : deletion.names()) {
        offer(write, name, Cell.encodeTombstone(observedAt), owner);
      }
    }
  }

  private void offer(EntityWrite write, String name, byte[] cell, ResultWrite owner) {
    int gained = write.offer(name, cell, owner);
    holder.grow(gained);
    cellBytes += gained;
  }

  private EntityWrite entity(String environment, String namespace, String key)
      throws UnavailableException {
    holder.makeRoom();
    EntityKey entity = new EntityKey(environment, namespace, key);
    EntityWrite write = writes.get(entity);
    if (write == null) {
      write = new EntityWrite(entity);
      writes.put(entity, write);
      holder.grow(ENTITY_OVERHEAD);
    }
    return write;
  }
}
