package io.tailrace.online;

import io.tailrace.bus.BusMessage;
import io.tailrace.result.Result;
import io.tailrace.stage.Failure;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.Optional;

/**
 * A result whose cells are on their way, and what became of them: no more of it than is needed when
 * they have arrived, which is little beside what was decoded. Not thread-safe.
 */
final class ResultWrite implements EntityWrite.Owner {
  /** What one takes beside its message, in bytes, roughly. */
  private static final int OVERHEAD = 50;

  private final BusMessage message;
  private final String operationId;
  private final RejectedCells rejected = new RejectedCells();
  private int written;
  private int stale;
  private int duplicate;
  private int expired;
  private int skipped;

  ResultWrite(Result result) {
    message = result.message();
    operationId = result.operationId();
  }

  BusMessage message() {
    return message;
  }

  /** Returns how many bytes this holds, roughly. */
  long heldBytes() {
    return message.heldBytes() + OVERHEAD;
  }

  /** The cells that are rejected, by the store or before. */
  RejectedCells rejected() {
    return rejected;
  }

  /** Counts a cell that is not to be stored. */
  void skip() {
    skipped++;
  }

  @Override
  public void settled(EntityWrite.CellOutcome outcome, int cells) {
    switch (outcome) {
      case WRITTEN -> written += cells;
      case STALE -> stale += cells;
      case DUPLICATE -> duplicate += cells;
      case EXPIRED -> expired += cells;
    }
  }

  @Override
  public void rejected(EntityKey key, String name, String message) {
    rejected.add(
        Reason.REJECTED_BY_STORE,
        key.namespace(),
        key.primaryKey(),
        name.isEmpty() ? "" : key.namespace() + "." + name,
        message,
        1);
  }

  /** Returns what became of the result, once no cell is on its way any more. */
  WriteOutcome outcome() {
    return new WriteOutcome(
        operationId,
        message.publishedAt(),
        written,
        stale,
        duplicate,
        expired,
        skipped,
        rejected.count());
  }

  /** Returns the failure of the cells that were rejected, if any were. */
  Optional<Failure> failure() {
    return rejected.failure(WriteOnline.STAGE, message);
  }
}
