package io.tailrace.parquet;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Names of the tables and schemas of an offline store: the one place that knows them. No two
 * features share a table, whatever their names.
 *
 * <p>The table of {@code user.age} is {@code user__age}. Where a part of the name has to be changed
 * (it has capitals or other characters than letters, digits and {@code _}), is too long for some
 * store, or could be read in two ways (it contains {@code __}, begins or ends with {@code _}, or
 * looks like what is appended here), {@code _} and sixteen hexadecimal digits are appended: of the
 * MD5 of namespace and name in UTF-8, each behind its length in bytes and a colon. {@code user.Age}
 * is in {@code user__age_98be80d40833b0e2}.
 *
 * <p>Deletions of whole entities are in the table of the feature with the empty name, {@code
 * user__}, which has no values. Stateless and thread-safe.
 */
public final class TableNames {
  /** The table of the log of queries, in every schema. */
  public static final String QUERY_LOG = "query_log";

  /** What PostgreSQL allows, the least of all stores. */
  public static final int MAX_LENGTH = 63;

  /** The longest that {@link #ofEnvironment} returns. */
  public static final int LONGEST_ENVIRONMENT = 40;

  private static final String SEPARATOR = "__";
  private static final String LATEST = "latest_";
  private static final int HASH_DIGITS = 16;

  /** Schemas and databases that stores have for themselves. */
  private static final Set<String> RESERVED_SCHEMAS =
      Set.of("information_schema", "system", "temp");

  private static final Pattern HASHED = Pattern.compile("(?s)(.*_)?[0-9a-f]{16}");
  private static final Pattern OTHER_CHARACTERS = Pattern.compile("[^a-z0-9_]");

  private TableNames() {}

  /**
   * Returns the name of a feature's table.
   *
   * @param feature fully qualified: what is before the last dot is taken for the namespace; ends
   *     with the dot for the entities themselves
   */
  public static String ofFeature(String feature) {
    int dot = feature.lastIndexOf('.');
    return ofFeature(feature.substring(0, Math.max(0, dot)), feature.substring(dot + 1));
  }

  /**
   * Returns the name of a feature's table.
   *
   * @param name its name within the namespace, which may have dots; empty for the entities
   *     themselves
   */
  public static String ofFeature(String namespace, String name) {
    String table = safe(namespace) + SEPARATOR + safe(name);
    boolean asItIs =
        isPlain(namespace) && (name.isEmpty() || isPlain(name)) && table.length() <= MAX_LENGTH;
    return asItIs ? table : hashed(table, MAX_LENGTH, namespace, name);
  }

  /** Returns the name of an environment's schema, for a URI with {@code {environment}}. */
  public static String ofEnvironment(String environment) {
    String safe = safe(environment);
    boolean asItIs =
        isPlain(environment)
            && safe.length() <= MAX_LENGTH / 2
            && !safe.startsWith("pg_")
            && !RESERVED_SCHEMAS.contains(safe);
    return asItIs
        ? safe
        : hashed((safe.startsWith("pg_") ? "env_" : "") + safe, LONGEST_ENVIRONMENT, environment);
  }

  /**
   * Returns what shows the newest observations of a namespace, such as {@code latest_user}. No
   * feature has a table of that name, as all of theirs have {@code __} in them, but where a hash is
   * appended that is theirs alone.
   */
  public static String ofLatest(String namespace) {
    return LATEST + ofEnvironment(namespace);
  }

  private static String safe(String part) {
    return OTHER_CHARACTERS.matcher(part.toLowerCase(Locale.ROOT)).replaceAll("_");
  }

  private static boolean isPlain(String part) {
    return part.equals(safe(part))
        && !part.contains(SEPARATOR)
        && !part.startsWith("_")
        && !part.endsWith("_")
        && !HASHED.matcher(part).matches();
  }

  private static String hashed(String safe, int longest, String... parts) {
    return safe.substring(0, Math.min(safe.length(), longest - 1 - HASH_DIGITS))
        + "_"
        + hash(parts);
  }

  private static String hash(String... parts) {
    try {
      MessageDigest md5 = MessageDigest.getInstance("MD5");
      for (String part : parts) {
        byte[] text = part.getBytes(StandardCharsets.UTF_8);
        md5.update((text.length + ":").getBytes(StandardCharsets.US_ASCII));
        md5.update(text);
      }
      return HexFormat.of().formatHex(md5.digest(), 0, HASH_DIGITS / 2);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }
}
