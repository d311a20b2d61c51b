package io.tailrace.parquet;

import io.tailrace.v1.DeadLetter.Reason;

/** A message on the streaming-insert bus is not a file that can be inserted. */
public final class InvalidFileException extends Exception {
  private static final long serialVersionUID = 1;

  private final Reason reason;
  private final String field;

  public InvalidFileException(Reason reason, String field, String message) {
    // Thrown once for each bad message and never a surprise: the stack says nothing.
    super(message, null, false, false);
    this.reason = reason;
    this.field = field;
  }

  /** Returns the kind of rule that was broken. */
  public Reason reason() {
    return reason;
  }

  /** Returns the column or footer key at fault, or an empty string. */
  public String field() {
    return field;
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
