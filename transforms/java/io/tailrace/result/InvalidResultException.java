package io.tailrace.result;

import io.tailrace.v1.DeadLetter.Reason;

/** Bytes that are not a valid {@code QueryResult}; names the reason and the field at fault. */
public final class InvalidResultException extends Exception {
  private static final long serialVersionUID = 1;

  private final Reason reason;
  private final String field;

  /**
   * Creates it.
   *
   * @param reason what kind of rule was broken
   * @param field path of the field in the message, {@code frames[0].columns[3].observed_at}; empty
   *     when the message can't be read at all
   * @param message what is wrong, in a sentence
   */
  public InvalidResultException(Reason reason, String field, String message) {
    // Thrown once for each bad message and never a surprise: the stack says nothing, and costs
    // most.
    super(message, null, false, false);
    this.reason = reason;
    this.field = field;
  }

  /** Returns the kind of rule that was broken. */
  public Reason reason() {
    return reason;
  }

  /** Returns the path of the field at fault, or an empty string. */
  public String field() {
    return field;
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
