package io.tailrace.bus;

import io.tailrace.endpoint.UnavailableException;
import org.jspecify.annotations.Nullable;

/**
 * Says that a bus does not take a message for what it is, as one that is too large for the topic,
 * while it takes others.
 */
public final class RefusedMessageException extends UnavailableException {
  private static final long serialVersionUID = 1;

  private final transient @Nullable OutgoingMessage refused;

  /** Creates one with a sentence that says why, and what to do, for a message. */
  public RefusedMessageException(String sentence, OutgoingMessage refused) {
    super(sentence);
    this.refused = refused;
  }

  /** Creates one, and says where it comes from. */
  public RefusedMessageException(String sentence, OutgoingMessage refused, Throwable cause) {
    super(sentence, cause);
    this.refused = refused;
  }

  /** Creates one for a message of several, where the bus does not say of which. */
  public RefusedMessageException(String sentence, Throwable cause) {
    super(sentence, cause);
    this.refused = null;
  }

  /** Returns whether it is this message that is refused, for certain: others may be equal to it. */
  @SuppressWarnings("ReferenceEquality")
  public boolean isOf(OutgoingMessage message) {
    return refused == message;
  }
}
