package io.tailrace.stage;

import io.tailrace.v1.DeadLetter.Reason;

/**
 * A message is not what its bus carries, or breaks a rule of it; names the reason and the field at
 * fault.
 */
public final class InvalidMessageException extends Exception {
  private static final long serialVersionUID = 1;

  private final Reason reason;
  private final String field;

  /**
   * Creates it.
   *
   * @param reason what kind of rule was broken
   * @param field path of the field in the message, {@code frames[0].columns[3].observed_at}, or the
   *     column or footer key of a file; empty when the message can't be read at all
   * @param message what is wrong, in a sentence
   */
  public InvalidMessageException(Reason reason, String field, String message) {
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
