package io.tailrace.stage;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.coders.DefaultCoder;

/**
 * A message, or cells of one, that a stage will never be able to process as it is. Small beside the
 * message, whatever is quoted. Immutable.
 *
 * @param stage the transform that gave up
 * @param cause why
 * @param rejected the cells at fault where the rest of the message was stored; none where the whole
 *     message is
 * @param original the message
 * @param rows where only rows of a file are at fault: a file of those alone, which the letter holds
 *     in place of the original's bytes
 */
@DefaultCoder(FailureCoder.class)
public record Failure(
    String stage, Cause cause, Cells rejected, BusMessage original, Optional<byte[]> rows) {

  /**
   * Cells that are listed by name; the rest are counted, so that a failure stays smaller than a
   * message.
   */
  public static final int MAX_CELLS = 100;

  /** The longest text that a letter says, in bytes of UTF-8. */
  static final int MAX_TEXT_BYTES = 1_000;

  /**
   * Why a stage gave up.
   *
   * @param field path of the field at fault; may be empty
   * @param message what is wrong, in a sentence
   */
  public record Cause(Reason reason, String field, String message) {
    /** Cuts the texts, which may quote names and keys. */
    public Cause {
      requireNonNull(reason);
      field = Quoted.cut(field, MAX_TEXT_BYTES);
      message = Quoted.cut(message, MAX_TEXT_BYTES);
    }
  }

  /**
   * Cells that were refused.
   *
   * @param first the first {@link #MAX_CELLS}
   * @param reasons how many there are for each reason
   */
  public record Cells(List<RejectedCell> first, Map<Reason, Integer> reasons) {
    /** None. */
    public static final Cells NONE = new Cells(List.of(), Map.of());

    /** Copies the list, as far as it is kept, and the map. */
    public Cells {
      first = List.copyOf(first.subList(0, Math.min(MAX_CELLS, first.size())));
      Map<Reason, Integer> counted = new EnumMap<>(Reason.class);
      counted.putAll(reasons);
      reasons = Collections.unmodifiableMap(counted);
    }

    /** Returns how many there are. */
    public int count() {
      return reasons.values().stream().mapToInt(Integer::intValue).sum();
    }
  }

  /** Returns a failure of a whole message. */
  public static Failure ofMessage(
      String stage, Reason reason, String field, String message, BusMessage original) {
    return new Failure(
        stage, new Cause(reason, field, message), Cells.NONE, original, Optional.empty());
  }

  /**
   * Returns a failure of some cells of a message whose other cells were stored.
   *
   * @param reason that of the first cell
   */
  public static Failure ofCells(
      String stage, Reason reason, String message, Cells rejected, BusMessage original) {
    return new Failure(stage, new Cause(reason, "", message), rejected, original, Optional.empty());
  }

  /** Returns the same failure at a place in the message. */
  Failure in(String field) {
    return new Failure(
        stage, new Cause(cause.reason(), field, cause.message()), rejected, original, rows);
  }

  /**
   * Returns the same failure with what the letter holds in place of the original's bytes.
   *
   * @param file the rows at fault alone, as a canonical file
   */
  public Failure ofRows(byte[] file) {
    return new Failure(stage, cause, rejected, original, Optional.of(file));
  }

  /** Returns why the stage gave up; of cells, why with the first one. */
  public Reason reason() {
    return cause.reason();
  }

  /** Returns the path of the field at fault; may be empty. */
  public String field() {
    return cause.field();
  }

  /** Returns what is wrong, in a sentence. */
  public String message() {
    return cause.message();
  }

  /** Returns the first of the cells at fault. */
  public List<RejectedCell> cells() {
    return rejected.first();
  }

  /** Returns how many cells are at fault for each reason; empty where the whole message is. */
  public Map<Reason, Integer> reasons() {
    return rejected.reasons();
  }

  /** Returns how many cells are at fault. */
  public int cellCount() {
    return rejected.count();
  }

  /**
   * Returns whether the same bytes can succeed later, at least in part: with another configuration,
   * another clock or a later version.
   */
  public boolean retryable() {
    return isRetryable(reason()) || reasons().keySet().stream().anyMatch(Failure::isRetryable);
  }

  private static boolean isRetryable(Reason reason) {
    return switch (reason) {
      case UNKNOWN_TYPE,
          OBSERVED_IN_FUTURE,
          UNKNOWN_ENVIRONMENT,
          TYPE_CHANGED,
          NAME_TAKEN,
          TOO_LARGE,
          TABLE_REFUSES,
          MISSING_FILE ->
          true;
      case REASON_UNSPECIFIED,
          UNDECODABLE,
          MISSING_FIELD,
          LENGTH_MISMATCH,
          INVALID_VALUE,
          REJECTED_BY_STORE,
          TOO_OLD,
          UNRECOGNIZED ->
          false;
    };
  }
}
