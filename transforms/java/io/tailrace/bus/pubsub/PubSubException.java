package io.tailrace.bus.pubsub;

import java.io.IOException;

/** Pub/Sub has refused something, or did not answer. */
final class PubSubException extends IOException {
  private static final long serialVersionUID = 1;

  private static final int NO_ANSWER = 0;
  private static final int NO_CREDENTIALS = 1;
  private static final int NOT_FOUND = 404;
  private static final int FORBIDDEN = 403;
  private static final int REFUSED = 400;
  private static final int TOO_LARGE = 413;
  private static final int UNAUTHENTICATED = 401;
  private static final int TIMEOUT = 408;
  private static final int TOO_MANY = 429;
  private static final int SERVER_ERRORS = 500;
  private static final int NOT_IMPLEMENTED = 501;

  private final int status;

  /** A refusal, with the status of the answer. */
  PubSubException(int status, String message) {
    super(message);
    this.status = status;
  }

  /** No answer. */
  PubSubException(String message, Throwable cause) {
    this(NO_ANSWER, message, cause);
  }

  private PubSubException(int status, String message, Throwable cause) {
    super(message, cause);
    this.status = status;
  }

  /** It was not asked: there are no credentials now. */
  static PubSubException ofCredentials(String message, Throwable cause) {
    return new PubSubException(NO_CREDENTIALS, message, cause);
  }

  boolean isMissing() {
    return status == NOT_FOUND;
  }

  boolean isDenied() {
    return status == FORBIDDEN || status == UNAUTHENTICATED;
  }

  /** Returns whether it is for what was said. */
  boolean isRefused() {
    return status == REFUSED || status == TOO_LARGE;
  }

  boolean isUnreachable() {
    return status == NO_ANSWER;
  }

  /** Returns whether the same may be answered otherwise a little later. */
  boolean isPassing() {
    return status == NO_ANSWER
        || status == NO_CREDENTIALS
        || status == TIMEOUT
        || status == TOO_MANY
        || (status >= SERVER_ERRORS && status != NOT_IMPLEMENTED);
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }
}
