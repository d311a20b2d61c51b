package io.tailrace.sql.postgres;

/**
 * How what belongs to a table is named, which PostgreSQL keeps in one namespace with the tables.
 * Stateless and thread-safe.
 */
public interface PartNames {
  /** Returns the name of a table's primary key. */
  String key(String table);

  /** Returns the name of a partition, or of an index by its first column. */
  String part(String table, String part);
}
