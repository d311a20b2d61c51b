package io.tailrace.online;

/**
 * An online store can't be used now. The message names the store and, where it can, the correction.
 */
public final class OnlineStoreException extends Exception {
  private static final long serialVersionUID = 1;

  /** Creates it. */
  public OnlineStoreException(String message) {
    super(message);
  }

  /** Creates it. */
  public OnlineStoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
