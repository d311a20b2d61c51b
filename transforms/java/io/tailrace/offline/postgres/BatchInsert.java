package io.tailrace.offline.postgres;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import java.sql.Connection;
import java.sql.SQLException;

/** Inserts the rows of a batch, some in each transaction. Not thread-safe. */
abstract class BatchInsert {
  /** PostgreSQL's {@code temp_buffers}, unless set otherwise: what a session keeps in memory. */
  static final long MAX_BYTES = 8 << 20;

  /**
   * How long a statement waits for somebody who has locked the table: others wait behind it. For
   * this transaction only.
   */
  static final String LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'; ";

  private long rows;

  /** Returns whether all rows have been inserted. */
  abstract boolean isDone();

  /** Inserts some of the rows that are left, perhaps not for the first time. */
  abstract long insertSome(Connection connection) throws SQLException;

  /** Takes note that the rows that were inserted last are durable. */
  abstract void advance();

  /** Inserts all rows. */
  final void run(PostgresSession session) throws UnavailableException, RefusedException {
    while (!isDone()) {
      rows += session.write(this::insertSome);
      advance();
    }
  }

  /** Returns how many rows are new in the store, also when not all could be inserted. */
  final long rows() {
    return rows;
  }
}
