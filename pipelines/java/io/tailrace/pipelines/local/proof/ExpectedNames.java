package io.tailrace.pipelines.local.proof;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/** The names of tables, worked out from what the documentation says of them. */
final class ExpectedNames {
  /** What PostgreSQL allows for the name of a table. */
  private static final int LONGEST_NAME = 63;

  private static final int HASH_DIGITS = 16;

  private ExpectedNames() {}

  /** Returns the name of the table of a feature whose namespace ends with the last dot. */
  static String tableOf(String feature) {
    int dot = feature.lastIndexOf('.');
    return tableOf(dot < 0 ? "" : feature.substring(0, dot), feature.substring(dot + 1));
  }

  /** Returns the name of the table of a feature; both names may have dots. */
  static String tableOf(String namespace, String name) {
    String table = plain(namespace) + "__" + plain(name);
    if (isUnmistakable(namespace) && isUnmistakable(name) && table.length() <= LONGEST_NAME) {
      return table;
    }
    MessageDigest md5 = md5();
    update(md5, namespace, name);
    String hash = HexFormat.of().formatHex(md5.digest());
    int kept = Math.min(table.length(), LONGEST_NAME - 1 - HASH_DIGITS);
    return table.substring(0, kept) + "_" + hash.substring(0, HASH_DIGITS);
  }

  private static String plain(String part) {
    StringBuilder plain = new StringBuilder();
    part.toLowerCase(Locale.ROOT)
        .codePoints()
        .map(c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_')
        .forEach(plain::appendCodePoint);
    return plain.toString();
  }

  private static boolean isUnmistakable(String part) {
    return part.equals(plain(part))
        && !part.contains("__")
        && !part.startsWith("_")
        && !part.endsWith("_")
        && !endsLikeAHash(part);
  }

  private static boolean endsLikeAHash(String part) {
    int digits = part.length() - HASH_DIGITS;
    return digits >= 0
        && (digits == 0 || part.charAt(digits - 1) == '_')
        && part.substring(digits).chars().allMatch(c -> "0123456789abcdef".indexOf(c) >= 0);
  }

  /** Hashes texts, each behind its length in bytes and a colon. */
  static void update(MessageDigest md5, String... texts) {
    for (String text : texts) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      md5.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
      md5.update(bytes);
    }
  }

  static MessageDigest md5() {
    try {
      return MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }
}
