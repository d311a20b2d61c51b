package io.tailrace.offline.staging;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.parquet.ObservationFile;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Names staged files: {@code environment/topic-position-hash.parquet}, and {@code
 * sessions__environment/…} of one that its session loads by itself, where the position is partition
 * and offset or the bus's id of the message, and the hash is that of the message as it was
 * published. So a file that comes again has the same name, and the file at the same position of a
 * topic that was made anew has another. Letters and digits stand for themselves; of every other
 * text its bytes do, in hexadecimal digits behind {@code _}, as no store or bucket takes them for
 * something else. Stateless and thread-safe.
 */
final class StagedNames {
  static final String SUFFIX = ".parquet";

  /** Enough of SHA-256 for no two messages ever to have the same. */
  private static final int HASH_BYTES = 16;

  /** Behind an underscore is a digit in every other name: so this is no environment's folder. */
  private static final String SESSIONS = "sessions__";

  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private StagedNames() {}

  static String of(ObservationFile file) {
    BusMessage message = file.message();
    String position =
        message.messageId().isEmpty()
            ? message.partition() + "-" + message.offset()
            : escaped(message.messageId());
    return escaped(file.environment())
        + "/"
        + escaped(message.topic())
        + "-"
        + position
        + "-"
        + hash(message.payload())
        + SUFFIX;
  }

  /**
   * Returns the name of a file that a session stages and loads at once: in a folder of its own, as
   * nobody else is to load it, who might tell a second time what was refused of it.
   */
  static String ofSession(ObservationFile file) {
    return SESSIONS + of(file);
  }

  static boolean isOfSession(String name) {
    return name.startsWith(SESSIONS);
  }

  /** Returns the environment that a name says, or an empty text if it is none of these names. */
  static String environment(String name) {
    int slash = name.indexOf('/');
    return slash < 0 || !name.endsWith(SUFFIX) ? "" : unescaped(name.substring(0, slash));
  }

  /**
   * Returns the message that a name stands for, as far as the name says.
   *
   * @param publishedAt microseconds since the epoch
   */
  static BusMessage message(String name, byte[] payload, long publishedAt) {
    String[] parts =
        name.substring(name.indexOf('/') + 1, name.length() - SUFFIX.length()).split("-", -1);
    String topic = unescaped(parts[0]);
    Place place = Place.identified(topic, parts.length > 1 ? unescaped(parts[1]) : "");
    try {
      if (parts.length == 4) {
        place = Place.numbered(topic, Integer.parseInt(parts[1]), Long.parseLong(parts[2]));
      }
    } catch (NumberFormatException e) {
      // Somebody else's name.
      place = Place.identified(name, "");
    }
    return BusMessage.of(payload, place, MessageTime.ofBus(publishedAt));
  }

  /** Returns the text that an escaped one stands for; empty if it stands for none. */
  private static String unescaped(String escaped) {
    byte[] text = new byte[escaped.length()];
    int length = 0;
    for (int i = 0; i < escaped.length(); i++) {
      char c = escaped.charAt(i);
      if (c != '_') {
        text[length++] = (byte) c;
      } else if (i + 2 < escaped.length()
          && HexFormat.isHexDigit(escaped.charAt(i + 1))
          && HexFormat.isHexDigit(escaped.charAt(i + 2))) {
        text[length++] = (byte) HexFormat.fromHexDigits(escaped, i + 1, i + 3);
        i += 2;
      } else {
        return "";
      }
    }
    return new String(text, 0, length, StandardCharsets.UTF_8);
  }

  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
      if ((each >= 'a' && each <= 'z')
          || (each >= 'A' && each <= 'Z')
          || (each >= '0' && each <= '9')) {
        escaped.append((char) each);
      } else {
        escaped.append('_').append(HEX.toHexDigits(each));
      }
    }
    return escaped.toString();
  }

  private static String hash(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(Arrays.copyOf(digest, HASH_BYTES));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
