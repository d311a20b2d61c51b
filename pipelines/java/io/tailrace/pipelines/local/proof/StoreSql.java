package io.tailrace.pipelines.local.proof;

import io.tailrace.offline.OfflineReader;

/** What sort of SQL a store understands. */
enum StoreSql {
  DUCKDB("duckdb:", "data_type", ""),
  POSTGRESQL(
      "postgresql:",
      "udt_name",
      " AND (table_schema, table_name) NOT IN (SELECT nspname, relname FROM pg_catalog.pg_class"
          + " JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace"
          + " WHERE relispartition)");

  private final String scheme;
  // The column of information_schema.columns that tells types apart, those of elements too.
  final String typeColumn;
  // What leaves out the parts that a table is stored in.
  final String wholeTables;

  StoreSql(String scheme, String typeColumn, String wholeTables) {
    this.scheme = scheme;
    this.typeColumn = typeColumn;
    this.wholeTables = wholeTables;
  }

  static StoreSql of(OfflineReader store) {
    for (StoreSql dialect : values()) {
      if (store.uri().startsWith(dialect.scheme)) {
        return dialect;
      }
    }
    throw new IllegalArgumentException(
        "The model can't read " + store.uri() + "; it knows duckdb: and postgresql:");
  }
}
