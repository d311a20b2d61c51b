package io.tailrace.offline;

import io.tailrace.sql.DatabaseException;

/**
 * An offline store can't be used now. Its message is one sentence that names the store, and the
 * correction where there is one. Nothing was lost: whatever was being done can be done again.
 */
public class OfflineStoreException extends Exception {
  private static final long serialVersionUID = 1;

  /** Creates one without a cause. */
  public OfflineStoreException(String message) {
    super(message);
  }

  /** Creates one with a cause. */
  public OfflineStoreException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Says that the database the store is kept in can't be used. */
  public OfflineStoreException(DatabaseException cause) {
    super(cause.getMessage(), cause);
  }
}
