package io.tailrace.offline;

import io.tailrace.bus.BusMessage;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Makes failures of what a store refused of files: one for each file that it refused as a whole, or
 * some of whose rows it refused. Not thread-safe.
 */
public final class InsertFailures {
  private final Map<Integer, RejectedCells> rejected = new HashMap<>();
  private final Map<Integer, String> refused;

  private InsertFailures(Inserted inserted) {
    refused = inserted.refused();
    for (Rejected rows : inserted.rejected()) {
      String feature = rows.feature();
      rejected
          .computeIfAbsent(rows.file(), unused -> new RejectedCells())
          .add(
              rows.reason(),
              feature.isEmpty() ? "" : feature.substring(0, feature.lastIndexOf('.')),
              rows.key(),
              feature,
              rows.message(),
              rows.count());
    }
  }

  /** Makes failures of what became of files that were inserted together. */
  public static InsertFailures of(Inserted inserted) {
    return new InsertFailures(inserted);
  }

  /** Returns whether nothing of a file was inserted. */
  public boolean isRefused(int file) {
    return refused.containsKey(file);
  }

  /** Returns whether there is a failure of a file. */
  public boolean has(int file) {
    return refused.containsKey(file) || rejected.containsKey(file);
  }

  /**
   * Returns the failure of a file, if there is one.
   *
   * @param file its position
   * @param original what the letter holds
   */
  public Optional<Failure> of(int file, BusMessage original) {
    String why = refused.get(file);
    if (why != null) {
      return Optional.of(
          Failure.ofMessage(InsertObservations.STAGE, Reason.REJECTED_BY_STORE, "", why, original));
    }
    RejectedCells cells = rejected.get(file);
    return cells == null ? Optional.empty() : cells.failure(InsertObservations.STAGE, original);
  }
}
