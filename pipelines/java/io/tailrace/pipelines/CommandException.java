package io.tailrace.pipelines;

/**
 * A command can't do what it was asked; the message says why and how to ask better, for a person.
 */
public final class CommandException extends Exception {
  private static final long serialVersionUID = 1;

  /** Creates it. */
  public CommandException(String message) {
    super(message);
  }

  /** Creates it. */
  public CommandException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
