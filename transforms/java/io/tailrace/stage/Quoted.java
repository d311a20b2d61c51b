package io.tailrace.stage;

import java.nio.charset.StandardCharsets;

/**
 * Cuts texts of others, such as names and keys, where they are quoted: they may be as long as a
 * message. Stateless and thread-safe.
 */
public final class Quoted {
  private static final String CUT = "…";
  private static final int CUT_BYTES = CUT.getBytes(StandardCharsets.UTF_8).length;

  /** A character that is no whole one becomes a question mark, a surrogate pair has four bytes. */
  private static final int MAX_BYTES_OF_CHAR = 3;

  private Quoted() {}

  /**
   * Returns a text of at most so many bytes in UTF-8: the beginning, and {@code …} where it was
   * cut.
   *
   * @param maxBytes three at least
   */
  public static String cut(String text, int maxBytes) {
    if ((long) text.length() * MAX_BYTES_OF_CHAR <= maxBytes) {
      return text;
    }
    int bytes = 0;
    int fitting = 0;
    for (int i = 0; i < text.length(); ) {
      int point = text.codePointAt(i);
      bytes += bytes(point);
      i += Character.charCount(point);
      if (bytes > maxBytes) {
        return text.substring(0, fitting) + CUT;
      }
      if (bytes <= maxBytes - CUT_BYTES) {
        fitting = i;
      }
    }
    return text;
  }

  private static int bytes(int point) {
    if (point < 0x80) {
      return 1;
    }
    return point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
}
