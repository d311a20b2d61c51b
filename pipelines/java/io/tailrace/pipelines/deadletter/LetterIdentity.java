package io.tailrace.pipelines.deadletter;

import io.tailrace.stage.Letter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Which letter one is, wherever it is on its topic: a writer that is restarted may write it a
 * second time. Sixteen bytes of a hash of who refused what, for which time, with the value. The
 * same message that was sent back and refused again is another letter. Immutable.
 */
record LetterIdentity(long high, long low) {
  private static final int DIGITS = 32;

  /** Returns that of a letter. */
  static LetterIdentity of(StoredLetter stored) {
    Letter letter = stored.letter();
    MessageDigest digest = sha256();
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
    digest.update(stored.message().payload());
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
