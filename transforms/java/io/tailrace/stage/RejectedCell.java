package io.tailrace.stage;

import io.tailrace.v1.DeadLetter.Reason;

/**
 * A cell that could not be stored. Its texts are cut: names and keys may be as long as a message.
 * Immutable.
 *
 * @param reason why
 * @param namespace of the feature
 * @param key the entity; empty where several are meant
 * @param feature fully qualified; empty where all features are meant
 * @param message what is wrong, in a part of a sentence
 */
public record RejectedCell(
    Reason reason, String namespace, String key, String feature, String message) {
  private static final int MAX_NAME_BYTES = 250;
  private static final int MAX_MESSAGE_BYTES = 500;

  /** Cuts the texts. */
  public RejectedCell {
    namespace = Quoted.cut(namespace, MAX_NAME_BYTES);
    key = Quoted.cut(key, MAX_NAME_BYTES);
    feature = Quoted.cut(feature, MAX_NAME_BYTES);
    message = Quoted.cut(message, MAX_MESSAGE_BYTES);
  }
}
