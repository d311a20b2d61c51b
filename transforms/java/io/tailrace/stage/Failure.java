package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.RejectedCell;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.beam.sdk.coders.DefaultCoder;

/**
 * A message, or cells of one, that a stage will never be able to process. Immutable.
 *
 * @param stage the transform that gave up
 * @param reason why
 * @param retryable whether the same bytes can succeed later
 * @param field path of the field at fault; may be empty
 * @param message what is wrong, in a sentence
 * @param cells the cells at fault where the rest of the message was stored; the first {@link
 *     #MAX_CELLS}
 * @param reasons how many cells are at fault for each reason; empty where the whole message is
 * @param original the message
 */
@DefaultCoder(FailureCoder.class)
public record Failure(
    String stage,
    Reason reason,
    boolean retryable,
    String field,
    String message,
    List<RejectedCell> cells,
    Map<Reason, Integer> reasons,
    BusMessage original) {

  /**
   * Cells that a letter lists by name; the rest are counted, so that a letter stays smaller than a
   * message.
   */
  public static final int MAX_CELLS = 100;

  /** Copies the list and the map. */
  public Failure {
    cells = List.copyOf(cells);
    reasons = Map.copyOf(reasons);
  }

  /** Returns a failure of a whole message. */
  public static Failure ofMessage(
      String stage, Reason reason, String field, String message, BusMessage original) {
    return new Failure(stage, reason, false, field, message, List.of(), Map.of(), original);
  }

  /** Returns how many cells are at fault. */
  public int cellCount() {
    return reasons.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** Returns the reasons by their names, as letters have them. */
  Map<String, Integer> reasonsByName() {
    Map<String, Integer> named = new TreeMap<>();
    reasons.forEach((cause, count) -> named.put(cause.name(), count));
    return named;
  }

  /**
   * Returns a failure of some cells of a message whose other cells were stored.
   *
   * @param reason that of the first cell
   */
  public static Failure ofCells(
      String stage,
      Reason reason,
      String message,
      List<RejectedCell> cells,
      Map<Reason, Integer> reasons,
      BusMessage original) {
    return new Failure(
        stage,
        reason,
        false,
        "",
        message,
        cells.subList(0, Math.min(MAX_CELLS, cells.size())),
        reasons,
        original);
  }
}
