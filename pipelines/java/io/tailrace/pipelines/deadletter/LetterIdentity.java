package io.tailrace.pipelines.deadletter;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Replayed;
import io.tailrace.stage.Letter;
import io.tailrace.stage.PartsDigest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

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
    PartsDigest digest = new PartsDigest();
    refusal(letter).forEach(digest::add);
    digest.add(source(letter));
    digest.add(isOfBus(letter) ? letter.text(Replayed.PUBLISHED_AT) : "");
    digest.add(message.hasKey() ? message.key() : null);
    // A bus may give them in any order.
    List<Header> headers =
        letter.original().stream().sorted(Comparator.comparing(Header::name)).toList();
    for (Header each : headers) {
      digest.add(each.name());
      digest.add(each.value());
    }
    digest.add(message.payload());
    return of(digest.take());
  }

  /**
   * Returns that which earlier versions noted of a letter that they settled: of two messages
   * without a value, at one position of topics of one name, it is the same.
   */
  static LetterIdentity ofEarlierVersions(StoredLetter stored) {
    Hasher hasher = Hashing.sha256().newHasher();
    for (String text : refusal(stored.letter())) {
      hasher.putString(text, StandardCharsets.UTF_8).putByte((byte) 0);
    }
    return of(hasher.putBytes(stored.message().payload()).hash().asBytes());
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

  /** Returns who refused what. */
  private static List<String> refusal(Letter letter) {
    return List.of(
        letter.writer(),
        letter.group(),
        letter.stage(),
        letter.place(),
        Integer.toString(letter.attempts()),
        letter.text(Letter.PAYLOAD_URI));
  }

  private static LetterIdentity of(byte[] digest) {
    ByteBuffer hash = ByteBuffer.wrap(digest);
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

  @Override
  public String toString() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(high) + hex.toHexDigits(low);
  }
}
