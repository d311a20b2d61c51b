package io.tailrace.offline.redshift;

import static io.tailrace.sql.redshift.RedshiftDialect.REDSHIFT;

import io.tailrace.offline.warehouse.Statements;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who has the lock of an environment's loads, by the catalog: the table of the lock shows no more
 * than who had it last, and only to whoever gets it. Immutable.
 *
 * @param place the table of the lock, as it stands in a statement
 */
record RedshiftLock(String place) {
  private static final int LOOKS = 5;
  private static final Duration BETWEEN_LOOKS = Duration.ofMillis(300);

  private static final Logger LOG = LoggerFactory.getLogger(RedshiftLock.class);

  /** Returns the query for the processes that have it. */
  String holders() {
    return "SELECT DISTINCT pid FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND"
        + " relation = CAST("
        + REDSHIFT.literal(place)
        + " AS REGCLASS) AND pid <> pg_backend_pid()";
  }

  /**
   * Ends those who have it and run nothing each time that they are looked at: no limit of the
   * server does, as a session that is idle in its transaction runs no statement. One whose
   * statement runs is let to go on, as it ends by its own limit, and so is one that is between two.
   */
  void endIdleHolders(Statements statements) throws SQLException {
    // The statement that took too long has broken its transaction.
    statements.execute("ROLLBACK");
    for (int pid : statements.query(holders(), row -> row.getInt(1))) {
      if (isIdle(pid, statements)) {
        LOG.warn("The session {} has had {} for too long and is idle: it is ended", pid, place);
        List<String> unused =
            statements.query("SELECT pg_terminate_backend(" + pid + ")", row -> row.getString(1));
      }
    }
  }

  private static boolean isIdle(int pid, Statements statements) throws SQLException {
    for (int look = 0; look < LOOKS; look++) {
      long running =
          statements
              .query(
                  "SELECT COUNT(*) FROM stv_recents WHERE status = 'Running' AND pid = " + pid,
                  row -> row.getLong(1))
              .get(0);
      if (running > 0) {
        return false;
      }
      try {
        Thread.sleep(BETWEEN_LOOKS.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return true;
  }
}
