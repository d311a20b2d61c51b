package io.tailrace.offline.postgres;

import io.tailrace.sql.postgres.PartNames;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * Names of what belongs to a table, which PostgreSQL keeps in one namespace with the tables: a
 * {@code #} makes that none of them is the name of a feature's table. Stateless and thread-safe.
 */
final class Names implements PartNames {
  /**
   * What of a table's name stands before the first {@code #}: as PostgreSQL makes names of indexes
   * of partitions from up to 41 letters of theirs and {@code _pkey_observed_at_idx}.
   */
  private static final int LONGEST_TABLE = 40;

  private static final int HASH_DIGITS = 8;

  @Override
  public String key(String table) {
    return part(table, "id");
  }

  /** Returns a name that is short whatever the table's is. */
  @Override
  public String part(String table, String part) {
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
