package io.tailrace.endpoint;

/**
 * A bus, a store or the database that one is kept in can't be used now, or not as configured. The
 * message is one sentence that names it, and the correction where there is one. Nothing was lost:
 * whatever was being done can be done again.
 */
public class UnavailableException extends Exception {
  private static final long serialVersionUID = 1;

  /** Says in one sentence what is wrong. */
  public UnavailableException(String message) {
    super(message);
  }

  /** Says in one sentence what is wrong, and where it comes from. */
  public UnavailableException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
