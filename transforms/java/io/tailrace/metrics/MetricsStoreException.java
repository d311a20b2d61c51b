package io.tailrace.metrics;

import io.tailrace.sql.DatabaseException;

/** A metrics store can't be used now, or not as configured. */
public final class MetricsStoreException extends Exception {
  private static final long serialVersionUID = 1;

  /** Says in one sentence what is wrong, naming the store. */
  public MetricsStoreException(String message) {
    super(message);
  }

  /** Says in one sentence what is wrong, naming the store. */
  public MetricsStoreException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Says that the database the store is kept in can't be used. */
  public MetricsStoreException(DatabaseException cause) {
    super(String.valueOf(cause.getMessage()), cause);
  }
}
