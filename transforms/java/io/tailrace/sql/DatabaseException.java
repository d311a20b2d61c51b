package io.tailrace.sql;

/**
 * A database can't be used now. Its message is one sentence that names the database, and the
 * correction where there is one. Nothing was lost: whatever was being done can be done again.
 */
public final class DatabaseException extends Exception {
  private static final long serialVersionUID = 1;

  /** Creates one without a cause. */
  public DatabaseException(String message) {
    super(message);
  }

  /** Creates one with a cause. */
  public DatabaseException(String message, Throwable cause) {
    super(message, cause);
  }
}
