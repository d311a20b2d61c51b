package io.tailrace.offline;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the rows that a table refuses among those that it takes: tries some, fewer where they are
 * refused, and more again where they are taken, down to the row. It ends when so many tries in a
 * row were refused that the table itself must be at fault. The rows should be in an order that says
 * nothing of them, such as that of their ids: then those at fault are spread. Not thread-safe.
 */
public final class Dividing {
  /** After so many refusals without one success between them, the table is sick. */
  static final int MAX_IN_A_ROW = 16;

  /** So many refusals in all: each try costs a transaction, and others wait. */
  static final int MAX_IN_ALL = 1_000;

  /** By how much fewer rows are tried after a refusal, and more after a success. */
  private static final int FACTOR = 8;

  private final List<Refused> refused = new ArrayList<>();
  private int inARow;
  private int inAll;

  private Dividing() {}

  /** Tries rows. */
  public interface Attempt {
    /**
     * Inserts rows in a transaction of their own.
     *
     * @return why the table refuses them; empty: it has taken them
     */
    Optional<Refusal> refusal(int from, int to) throws UnavailableException;
  }

  /**
   * Why a table refuses rows.
   *
   * @param isOfTable whether it would refuse any: nothing is to be divided
   * @param why a part of a sentence
   */
  public record Refusal(Reason reason, boolean isOfTable, String why) {}

  /**
   * Rows that were refused, one behind the other.
   *
   * @param to behind the last one
   */
  public record Refused(int from, int to, Refusal refusal) {}

  /**
   * What came of it.
   *
   * @param refused the rows that were not taken
   * @param isSick whether the table itself is at fault: some of the refused rows were not tried
   */
  public record Divided(List<Refused> refused, boolean isSick) {}

  /**
   * Tries rows, all together first.
   *
   * @param rows how many
   */
  public static Divided divide(int rows, Attempt attempt) throws UnavailableException {
    return new Dividing().run(rows, attempt);
  }

  private Divided run(int rows, Attempt attempt) throws UnavailableException {
    int size = rows;
    int at = 0;
    while (at < rows) {
      int to = Math.min(rows, at + size);
      Optional<Refusal> refusal = attempt.refusal(at, to);
      if (refusal.isEmpty()) {
        inARow = 0;
        at = to;
        size = Math.min(rows, size * FACTOR);
        continue;
      }
      inARow++;
      inAll++;
      boolean isSick = refusal.get().isOfTable || inARow == MAX_IN_A_ROW;
      if (isSick || inAll == MAX_IN_ALL) {
        refused.add(new Refused(at, rows, refusal.get()));
        return new Divided(refused, isSick);
      }
      if (to == at + 1) {
        refused.add(new Refused(at, to, refusal.get()));
        at = to;
      } else {
        size = Math.max(1, (to - at) / FACTOR);
      }
    }
    return new Divided(refused, false);
  }
}
