package io.tailrace.offline.postgres;

import io.tailrace.result.ValueType;

/** Names of PostgreSQL's types, as {@code format_type} has them. Stateless and thread-safe. */
final class PostgresType {
  private PostgresType() {}

  static String ofKeys(boolean stringKeys) {
    return stringKeys ? "text" : "bigint";
  }

  static String of(ValueType type) {
    return switch (type) {
      case INT64 -> "bigint";
      case FLOAT64 -> "double precision";
      case BOOL -> "boolean";
      case STRING -> "text";
      case BYTES -> "bytea";
      case TIMESTAMP -> "timestamp with time zone";
      case DATE -> "date";
      case VECTOR -> "real[]";
      case JSON -> "json";
    };
  }
}
