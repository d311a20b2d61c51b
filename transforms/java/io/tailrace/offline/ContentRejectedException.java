package io.tailrace.offline;

/**
 * A store refuses files for their content, so that trying again is of no use. Which of several
 * files is at fault shows when each is inserted alone. Nothing of them was inserted.
 */
public final class ContentRejectedException extends OfflineStoreException {
  private static final long serialVersionUID = 1;

  /** Creates one. */
  public ContentRejectedException(String message, Throwable cause) {
    super(message, cause);
  }
}
