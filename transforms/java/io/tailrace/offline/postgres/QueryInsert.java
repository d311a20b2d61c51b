package io.tailrace.offline.postgres;

import static io.tailrace.sql.postgres.PostgresDialect.POSTGRES;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.offline.OfflineTables;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.QueryRow;
import io.tailrace.parquet.TableNames;
import io.tailrace.sql.Key;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Inserts rows of the log of queries, by a {@code COPY} into a temporary table. Where a query is
 * there already, it gets the union of the tables that hold its values. Not thread-safe.
 */
final class QueryInsert extends BatchInsert {
  private final List<QueryRow> queries;
  private final QueryLog log;
  private final String table;
  private final String definition;

  /** Named by its columns: behind a pooler, the session may be one that another version used. */
  private final String staging;

  private int from;
  private int to;

  /**
   * Creates one.
   *
   * @param queries sorted by operation id, no id twice
   */
  QueryInsert(List<QueryRow> queries, QueryLog log, String schema) {
    this.queries = queries;
    this.log = log;
    this.table = POSTGRES.place(schema, TableNames.QUERY_LOG);
    this.definition = POSTGRES.definitions(OfflineTables.of(log, Key.NONE));
    this.staging = "pg_temp.tailrace_query_log_" + Integer.toHexString(definition.hashCode());
  }

  @Override
  boolean isDone() {
    return from == queries.size();
  }

  @Override
  void advance() {
    from = to;
  }

  private List<String> columns() {
    return log.columns().stream().map(QueryLog.Column::name).toList();
  }

  @Override
  long insertSome(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      boolean unused =
          statement.execute(
              LOCK_TIMEOUT
                  + "CREATE TEMPORARY TABLE IF NOT EXISTS "
                  + staging
                  + " ("
                  + definition
                  + ") ON COMMIT DELETE ROWS");
      copy(connection);
      String all = String.join(", ", columns());
      int inserted =
          statement.executeUpdate(
              "INSERT INTO "
                  + table
                  + " ("
                  + all
                  + ") SELECT "
                  + all
                  + " FROM "
                  + staging
                  + " ON CONFLICT ("
                  + QueryLog.KEY
                  + ") DO NOTHING");
      if (inserted < to - from) {
        int unusedToo = statement.executeUpdate(union());
      }
      return inserted;
    }
  }

  /** Not {@code ON CONFLICT DO UPDATE}: that locks, and so writes, also what it does not change. */
  private String union() {
    return "UPDATE "
        + table
        + " AS q SET value_tables = ARRAY(SELECT t FROM unnest(q.value_tables || s.value_tables)"
        + " AS t GROUP BY t ORDER BY t COLLATE \"C\") FROM "
        + staging
        + " AS s WHERE q.operation_id = s.operation_id"
        + " AND NOT q.value_tables @> s.value_tables";
  }

  private void copy(Connection connection) throws SQLException {
    try (CopyStream stream = new CopyStream(connection, staging, columns())) {
      int row = from;
      while (row < queries.size() && stream.bytes() < MAX_BYTES) {
        copy(queries.get(row), stream);
        row++;
      }
      stream.end();
      to = row;
    }
  }

  private void copy(QueryRow query, CopyStream stream) throws SQLException {
    stream.beginRow(log.columns().size());
    for (QueryLog.Column column : log.columns()) {
      switch (column.type()) {
        case TEXT -> copyText(column.text(query), stream);
        case TIMESTAMP -> copyTime(column.time(query), stream);
        case TEXTS -> copyTexts(column.texts(query), stream);
      }
    }
  }

  private static void copyText(Optional<String> text, CopyStream stream) throws SQLException {
    if (text.isPresent()) {
      stream.putBytes(text.get().getBytes(UTF_8));
    } else {
      stream.putNull();
    }
  }

  private static void copyTime(OptionalLong time, CopyStream stream) throws SQLException {
    if (time.isPresent()) {
      stream.putLong(Storable.time(time.getAsLong()));
    } else {
      stream.putNull();
    }
  }

  private static void copyTexts(Optional<List<String>> texts, CopyStream stream)
      throws SQLException {
    if (texts.isPresent()) {
      List<byte[]> all = new ArrayList<>();
      texts.get().forEach(text -> all.add(text.getBytes(UTF_8)));
      stream.putTexts(all);
    } else {
      stream.putNull();
    }
  }
}
