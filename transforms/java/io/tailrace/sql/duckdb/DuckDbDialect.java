package io.tailrace.sql.duckdb;

import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import java.util.Optional;

/** What DuckDB does differently. Immutable. */
public final class DuckDbDialect implements Dialect {
  /** The only one. */
  public static final DuckDbDialect DUCKDB = new DuckDbDialect();

  private DuckDbDialect() {}

  @Override
  public String type(ColumnType type) {
    return switch (type) {
      case TEXT -> "VARCHAR";
      case BIGINT -> "BIGINT";
      case DOUBLE -> "DOUBLE";
      case BOOLEAN -> "BOOLEAN";
      case BYTES -> "BLOB";
      case UUID -> "UUID";
      case TIMESTAMP -> "TIMESTAMPTZ";
      case DATE -> "DATE";
      case JSON -> "JSON";
      case TEXTS -> "VARCHAR[]";
      case FLOATS -> "FLOAT[]";
    };
  }

  /**
   * None: a table with such a default can't be altered safely. If the process is killed before the
   * log of that is written back, DuckDB can't read its log any more, and so not the file.
   */
  @Override
  public Optional<String> stamp() {
    return Optional.empty();
  }
}
