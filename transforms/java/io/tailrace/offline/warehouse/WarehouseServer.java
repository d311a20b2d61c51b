package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.Timeouts;
import io.tailrace.endpoint.UnavailableException;
import java.io.Serializable;
import java.sql.Connection;
import java.sql.SQLException;

/** Where a warehouse is and how to talk to it. Immutable; holds no secret, only where one is. */
public interface WarehouseServer extends Serializable {
  /** Returns the address, without secrets, for sentences. */
  String text();

  /**
   * Returns for how long it is waited for. A session's statements have the reply's as their limit
   * on the server's side, too.
   */
  Timeouts timeouts();

  /**
   * Opens a session, once, which commits by itself unless told otherwise; secrets are read anew.
   * The caller closes it.
   *
   * @throws UnavailableException if a secret is not where it should be
   */
  Connection open() throws SQLException, UnavailableException;

  /** Returns what a refusal means. */
  Meaning meaning(SQLException e);

  /** Returns the warehouse's words, without values of rows. */
  String message(SQLException e);

  /** Returns one sentence that names the store and, where there is one, the correction. */
  String sentence(SQLException e);
}
