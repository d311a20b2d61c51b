package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Place;
import io.tailrace.stage.Letter;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * A letter and the message that it is on the dead-letter topic. Immutable.
 *
 * @param message as it is there
 * @param letter what its headers say
 */
record StoredLetter(BusMessage message, Letter letter) {
  /** Of what was refused for other reasons an empty value is one that is gone. */
  private static final Set<Reason> OF_NOTHING =
      EnumSet.of(Reason.MISSING_FIELD, Reason.UNDECODABLE, Reason.UNRECOGNIZED);

  /** Returns the letter that a message is, if it is one. */
  static Optional<StoredLetter> of(BusMessage message) {
    return Letter.of(message.headers()).map(letter -> new StoredLetter(message, letter));
  }

  /** Returns the same letter without its value, which may be large. */
  StoredLetter withoutValue() {
    return new StoredLetter(message.withPayload(new byte[0]), letter);
  }

  /** Returns where it is, as people name it: {@code 0@17}, or its id where the bus gives ids. */
  String position() {
    return position(message.place());
  }

  /** Returns a place on the dead-letter topic as people name it. */
  static String position(Place place) {
    return place.messageId().isEmpty()
        ? place.partition() + "@" + place.offset()
        : place.messageId();
  }

  /** Returns the code of its reason, also of one that is not known here. */
  String reason() {
    String reason = letter.text(Letter.REASON);
    return reason.isEmpty() ? "UNKNOWN" : reason;
  }

  /** Returns whether its value is a file of the refused rows alone. */
  boolean isRows() {
    return letter.text(Letter.PART).equals("rows");
  }

  /**
   * Returns whether a part of its message is nowhere. Letters of earlier versions do not say so
   * where their value is there.
   */
  boolean isIncomplete() {
    return !letter.text(Letter.MISSING).isEmpty()
        || (payloadUri().isEmpty()
            && !OF_NOTHING.contains(letter.reason())
            && message.payload().length == 0);
  }

  /** Returns where the rest of its message is; empty where it has everything. */
  Optional<String> payloadUri() {
    return Optional.of(letter.text(Letter.PAYLOAD_URI)).filter(uri -> !uri.isEmpty());
  }
}
