package io.tailrace.offline;

/**
 * A store refuses files for their content, so that trying again is of no use. Which of several
 * files is at fault shows when each is inserted alone; any part of them may have been inserted.
 */
public final class ContentRejectedException extends Exception {
  private static final long serialVersionUID = 1;

  /** Creates one without a cause. */
  public ContentRejectedException(String message) {
    super(message);
  }

  /** Creates one with a cause. */
  public ContentRejectedException(String message, Throwable cause) {
    super(message, cause);
  }
}
