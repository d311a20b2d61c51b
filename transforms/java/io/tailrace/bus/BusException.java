package io.tailrace.bus;

/**
 * A bus can't be used as configured. The message names its URI and, where it can, the correction.
 */
public final class BusException extends Exception {
  private static final long serialVersionUID = 1;

  /** Creates it. */
  public BusException(String message) {
    super(message);
  }

  /** Creates it. */
  public BusException(String message, Throwable cause) {
    super(message, cause);
  }
}
