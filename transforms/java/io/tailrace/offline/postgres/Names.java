package io.tailrace.offline.postgres;

import java.nio.charset.StandardCharsets;
import java.time.YearMonth;
import java.util.Locale;
import java.util.UUID;

/**
 * Names of what belongs to a table, which PostgreSQL keeps in one namespace with the tables: a
 * {@code #} makes that none of them is the name of a feature's table. Stateless and thread-safe.
 */
final class Names {
  /**
   * What of a table's name stands before the first {@code #}: as PostgreSQL makes names of indexes
   * of partitions from up to 41 letters of theirs and {@code _pkey_observed_at_idx}.
   */
  private static final int LONGEST_TABLE = 40;

  private static final int HASH_DIGITS = 8;

  private Names() {}

  /** Returns a name as it stands in a statement. */
  static String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  /** Returns the name of a table in a schema as it stands in a statement. */
  static String quoted(String schema, String table) {
    return quoted(schema) + "." + quoted(table);
  }

  /** Returns the name of a table's primary key. */
  static String primaryKey(String table) {
    return part(table, "id");
  }

  /** Returns the name of a table's index on pkey and observed_at. */
  static String index(String table) {
    return part(table, "pkey");
  }

  /** Returns the name of a partition. */
  static String partition(String table, YearMonth month) {
    return part(
        table, String.format(Locale.ROOT, "%04d_%02d", month.getYear(), month.getMonthValue()));
  }

  /** Returns the name of a part of a table, which is short whatever the table's is. */
  static String part(String table, String part) {
    if (table.length() <= LONGEST_TABLE) {
      return table + "#" + part;
    }
    String hash =
        UUID.nameUUIDFromBytes(table.getBytes(StandardCharsets.UTF_8))
            .toString()
            .substring(0, HASH_DIGITS);
    return table.substring(0, LONGEST_TABLE - HASH_DIGITS) + "#" + hash + "#" + part;
  }
}
