package io.tailrace.offline.duckdb;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Dividing;
import io.tailrace.offline.Dividing.Divided;
import io.tailrace.offline.Dividing.Refusal;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbSession.Open;
import io.tailrace.v1.DeadLetter.Reason;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What an error of DuckDB says of the database, a table or rows. Stateless and thread-safe. */
final class Refusals {
  /** What goes wrong with the database, whatever is inserted. */
  private static final Set<String> OF_THE_DATABASE =
      Set.of(
          "",
          "IO Error",
          "Out of Memory Error",
          "FATAL Error",
          "INTERNAL Error",
          "INTERRUPT Error",
          "TransactionContext Error",
          "Connection Error");

  /** What only the values of rows cause. */
  private static final Set<String> OF_ROWS =
      Set.of("Constraint Error", "Conversion Error", "Out of Range Error", "Invalid Input Error");

  private Refusals() {}

  /** Returns whether the database is at fault, or the room that it has. */
  static boolean isOfDatabase(SQLException e) {
    return OF_THE_DATABASE.contains(DuckDbFile.errorType(e));
  }

  /** Returns whether it was too much for the memory that DuckDB may take. */
  static boolean isOutOfMemory(SQLException e) {
    return DuckDbFile.errorType(e).equals("Out of Memory Error");
  }

  /**
   * Ends a transaction that a table has refused.
   *
   * @throws SQLException the refusal, if it is none of a table's
   */
  static void rollBack(Open open, SQLException e) throws SQLException {
    if (isOfDatabase(e)) {
      throw e;
    }
    try {
      open.statement().execute("ROLLBACK");
    } catch (SQLException none) {
      // A commit that is refused has ended the transaction.
      if (!DuckDbFile.errorType(none).equals("TransactionContext Error")) {
        throw none;
      }
    }
  }

  /** Returns why a table refuses rows. */
  static Refusal of(SQLException e) {
    return new Refusal(
        Reason.TABLE_REFUSES,
        !OF_ROWS.contains(DuckDbFile.errorType(e)),
        DuckDbFile.cause(String.valueOf(e.getMessage())));
  }

  /** Inserts some of the rows that are staged, in a transaction of its own. */
  interface Insertion {
    void of(int from, int to) throws SQLException;
  }

  /**
   * Finds the rows that a table refuses; see {@link Dividing}.
   *
   * @throws SQLException what is none of a table's
   */
  static Divided divide(Open open, int rows, Insertion insertion)
      throws SQLException, UnavailableException {
    List<SQLException> others = new ArrayList<>();
    Divided divided =
        Dividing.divide(
            rows,
            (from, to) -> {
              try {
                insertion.of(from, to);
                return Optional.empty();
              } catch (SQLException e) {
                try {
                  rollBack(open, e);
                  return Optional.of(of(e));
                } catch (SQLException other) {
                  others.add(other);
                  return Optional.of(new Refusal(Reason.TABLE_REFUSES, true, ""));
                }
              }
            });
    if (!others.isEmpty()) {
      throw others.get(0);
    }
    return divided;
  }
}
