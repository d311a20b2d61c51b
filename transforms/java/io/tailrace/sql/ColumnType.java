package io.tailrace.sql;

/** What a column holds; a {@link Dialect} knows what a database calls it. */
public enum ColumnType {
  TEXT,
  BIGINT,
  DOUBLE,
  BOOLEAN,
  BYTES,
  UUID,
  /** A moment, in microseconds. */
  TIMESTAMP,
  DATE,
  JSON,
  /** A list of {@link #TEXT}. */
  TEXTS,
  /** A list of numbers of 32 bits. */
  FLOATS
}
