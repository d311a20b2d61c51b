package io.tailrace.parquet;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.OptionalInt;
import java.util.zip.CRC32C;

/**
 * The checksum of a whole Parquet file, within its own footer. Parquet's page checksums leave out
 * page headers and the footer, and not every reader looks at them. It tells damage, not malice.
 * Stateless and thread-safe.
 */
final class FileChecksum {
  /** The value's place before it is known. */
  static final String UNKNOWN = "00000000";

  private static final int DIGITS = UNKNOWN.length();

  /** In the footer (Thrift's compact protocol) a string field is its header, length and bytes. */
  private static final byte[] KEY =
      ('\u000f' + ObservationSchema.CHECKSUM + "\u0018\u0008").getBytes(StandardCharsets.US_ASCII);

  private FileChecksum() {}

  /**
   * Writes the checksum into a file whose footer has {@link #UNKNOWN} for it.
   *
   * @throws IllegalArgumentException if the footer has no place for it
   */
  static void write(byte[] file) {
    int at = find(file).orElseThrow(() -> new IllegalArgumentException("no place for a checksum"));
    byte[] digits =
        HexFormat.of().toHexDigits(compute(file, at)).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(digits, 0, file, at, DIGITS);
  }

  /** Returns whether the file's footer has the right checksum. */
  static boolean isRight(byte[] file) {
    OptionalInt at = find(file);
    if (at.isEmpty()) {
      return false;
    }
    byte[] digits =
        HexFormat.of()
            .toHexDigits(compute(file, at.getAsInt()))
            .getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < DIGITS; i++) {
      if (file[at.getAsInt() + i] != digits[i]) {
        return false;
      }
    }
    return true;
  }

  private static int compute(byte[] file, int at) {
    CRC32C crc = new CRC32C();
    crc.update(file, 0, at);
    crc.update(UNKNOWN.getBytes(StandardCharsets.US_ASCII), 0, DIGITS);
    crc.update(file, at + DIGITS, file.length - at - DIGITS);
    return (int) crc.getValue();
  }

  /** Finds the digits: the last place that looks like the key, as the footer comes last. */
  private static OptionalInt find(byte[] file) {
    for (int i = file.length - KEY.length - DIGITS; i >= 0; i--) {
      if (matches(file, i)) {
        return OptionalInt.of(i + KEY.length);
      }
    }
    return OptionalInt.empty();
  }

  private static boolean matches(byte[] file, int at) {
    for (int i = 0; i < KEY.length; i++) {
      if (file[at + i] != KEY[i]) {
        return false;
      }
    }
    return true;
  }
}
