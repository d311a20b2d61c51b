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
 * looks like what is appended here), {@code _} and eight hexadecimal digits of the MD5 of the whole
 * name are appended: {@code user.Age} is in {@code user__age_32cdeafa}.
 *
 * <p>Deletions of whole entities are in the table of the feature with the empty name, {@code
 * user__}, which has no values. Stateless and thread-safe.
 */
public final class TableNames {
  /** The table of the log of queries, in every schema. */
  public static final String QUERY_LOG = "query_log";

  /** What PostgreSQL allows, the least of all stores. */
  public static final int MAX_LENGTH = 63;

  private static final String SEPARATOR = "__";
  private static final int HASH_DIGITS = 8;

  /** Schemas and databases that stores have for themselves. */
  private static final Set<String> RESERVED_SCHEMAS =
      Set.of("information_schema", "system", "temp");

  private static final Pattern HASHED = Pattern.compile("(?s)(.*_)?[0-9a-f]{8}");
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
    String namespace = feature.substring(0, Math.max(0, dot));
    String name = feature.substring(dot + 1);
    String table = safe(namespace) + SEPARATOR + safe(name);
    boolean asItIs =
        isPlain(namespace) && (name.isEmpty() || isPlain(name)) && table.length() <= MAX_LENGTH;
    return asItIs ? table : hashed(table, feature);
  }

  /** Returns the name of an environment's schema, for a URI with {@code {environment}}. */
  public static String ofEnvironment(String environment) {
    String safe = safe(environment);
    return safe.equals(environment)
            && safe.length() <= MAX_LENGTH / 2
            && isPlain(safe)
            && !safe.startsWith("pg_")
            && !RESERVED_SCHEMAS.contains(safe)
        ? safe
        : hashed(
            "env_".substring(safe.startsWith("pg_") ? 0 : 4)
                + safe.substring(0, Math.min(safe.length(), MAX_LENGTH / 2)),
            environment);
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

  private static String hashed(String table, String whole) {
    String cut = table.substring(0, Math.min(table.length(), MAX_LENGTH - 1 - HASH_DIGITS));
    return cut + "_" + hash(whole);
  }

  private static String hash(String text) {
    try {
      byte[] md5 = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(md5, 0, HASH_DIGITS / 2);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }
}
