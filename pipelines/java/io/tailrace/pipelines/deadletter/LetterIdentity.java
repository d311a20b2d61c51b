package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Replayed;
import io.tailrace.stage.Letter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which letter one is, wherever it is on its topic: a writer that is restarted may write it a
 * second time. Sixteen bytes of a hash of who refused what, of which topic, for which time, with
 * all that the letter has of the message. The same message that was sent back and refused again is
 * another letter. Immutable.
 */
record LetterIdentity(long high, long low) {
  private static final int DIGITS = 32;

  /** Returns that of a letter. */
  static LetterIdentity of(StoredLetter stored) {
    Letter letter = stored.letter();
    BusMessage message = stored.message();
    MessageDigest digest = sha256();
    addRefusal(digest, letter);
    add(digest, source(letter));
    add(digest, isOfBus(letter) ? letter.text(Replayed.PUBLISHED_AT) : "");
    add(digest, message.hasKey() ? message.key() : null);
    // A bus may give them in any order.
    List<Header> headers =
        letter.original().stream().sorted(Comparator.comparing(Header::name)).toList();
    for (Header each : headers) {
      add(digest, each.name());
      add(digest, each.value());
    }
    add(digest, message.payload());
    return of(digest);
  }

  /**
   * Returns that which earlier versions noted of a letter that they settled: of two messages
   * without a value, at one position of topics of one name, it is the same.
   */
  static LetterIdentity ofEarlierVersions(StoredLetter stored) {
    MessageDigest digest = sha256();
    addRefusal(digest, stored.letter());
    digest.update(stored.message().payload());
    return of(digest);
  }

  /** Returns which topic it is of. A writer that is restarted may name other servers of it. */
  private static String source(Letter letter) {
    String id = letter.text(Letter.TOPIC_ID);
    return id.isEmpty() ? letter.text(Letter.BUS) : id;
  }

  /** A publisher's time from long ago is told as that of the letter, and so differs in a copy. */
  private static boolean isOfBus(Letter letter) {
    return letter.text(Replayed.PUBLISHED_BY).equals(Replayed.publishedBy(MessageTime.By.BUS));
  }

  private static void addRefusal(MessageDigest digest, Letter letter) {
    for (String text :
        new String[] {
          letter.writer(),
          letter.group(),
          letter.stage(),
          letter.place(),
          Integer.toString(letter.attempts()),
          letter.text(Letter.PAYLOAD_URI),
        }) {
      digest.update(text.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
    }
  }

  private static void add(MessageDigest digest, String text) {
    add(digest, text.getBytes(StandardCharsets.UTF_8));
  }

  /** Adds bytes with their length, so that nothing runs into its neighbour. */
  private static void add(MessageDigest digest, byte @Nullable [] bytes) {
    if (bytes == null) {
      digest.update((byte) '-');
      return;
    }
    digest.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
    digest.update(bytes);
  }

  private static LetterIdentity of(MessageDigest digest) {
    ByteBuffer hash = ByteBuffer.wrap(digest.digest());
    return new LetterIdentity(hash.getLong(), hash.getLong());
  }

  /** Returns the one that a text says; empty if it says none. */
  static Optional<LetterIdentity> parse(String text) {
    if (text.length() != DIGITS || !text.chars().allMatch(HexFormat::isHexDigit)) {
      return Optional.empty();
    }
    return Optional.of(
        new LetterIdentity(
            HexFormat.fromHexDigitsToLong(text, 0, DIGITS / 2),
            HexFormat.fromHexDigitsToLong(text, DIGITS / 2, DIGITS)));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public String toString() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(high) + hex.toHexDigits(low);
  }
}
