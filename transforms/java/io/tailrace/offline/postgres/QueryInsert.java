package io.tailrace.offline.postgres;

import static io.tailrace.offline.postgres.Names.quoted;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.parquet.QueryRow;
import io.tailrace.parquet.TableNames;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Inserts rows of the log of queries, by a {@code COPY} into a temporary table. Where a query is
 * there already, it gets the union of the tables that hold its values. Not thread-safe.
 */
final class QueryInsert extends BatchInsert {
  private static final String STAGING = "pg_temp.tailrace_query_log";
  private static final List<String> COLUMNS = List.copyOf(QueryLog.COLUMNS.keySet());

  private final List<QueryRow> queries;
  private final String environment;
  private final String table;
  private int from;
  private int to;

  /**
   * Creates one.
   *
   * @param queries sorted by operation id, no id twice
   */
  QueryInsert(List<QueryRow> queries, String environment, String schema) {
    this.queries = queries;
    this.environment = environment;
    this.table = quoted(schema, TableNames.QUERY_LOG);
  }

  @Override
  boolean isDone() {
    return from == queries.size();
  }

  @Override
  void advance() {
    from = to;
  }

  @Override
  long insertSome(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      boolean unused =
          statement.execute(
              "CREATE TEMPORARY TABLE IF NOT EXISTS "
                  + STAGING
                  + QueryLog.definition()
                  + " ON COMMIT DELETE ROWS");
      copy(connection);
      String all = String.join(", ", COLUMNS);
      int inserted =
          statement.executeUpdate(
              "INSERT INTO "
                  + table
                  + " ("
                  + all
                  + ") SELECT "
                  + all
                  + " FROM "
                  + STAGING
                  + " ON CONFLICT DO NOTHING");
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
        + STAGING
        + " AS s WHERE q.operation_id = s.operation_id"
        + " AND NOT q.value_tables @> s.value_tables";
  }

  private void copy(Connection connection) throws SQLException {
    try (CopyStream stream = new CopyStream(connection, STAGING, COLUMNS)) {
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
    stream.beginRow(COLUMNS.size());
    for (String column : COLUMNS) {
      switch (column) {
        case QueryLog.KEY -> stream.putBytes(query.operationId().getBytes(UTF_8));
        case "environment_id" -> stream.putBytes(environment.getBytes(UTF_8));
        case "operation_kind" -> stream.putBytes(query.operationKind().getBytes(UTF_8));
        case "query_timestamp" -> stream.putLong(Storable.time(query.queryTimestamp()));
        case "execution_started_at" -> copyTime(query.executionStartedAt(), stream);
        case "execution_finished_at" -> copyTime(query.executionFinishedAt(), stream);
        case "query_status" -> stream.putBytes(query.status().getBytes(UTF_8));
        case "value_tables" -> {
          List<byte[]> tables = new ArrayList<>();
          query.valueTables().forEach(name -> tables.add(name.getBytes(UTF_8)));
          stream.putTexts(tables);
        }
        default -> {
          String text = query.texts().get(column);
          if (text == null) {
            stream.putNull();
          } else {
            stream.putBytes(text.getBytes(UTF_8));
          }
        }
      }
    }
  }

  private static void copyTime(OptionalLong time, CopyStream stream) throws SQLException {
    if (time.isPresent()) {
      stream.putLong(Storable.time(time.getAsLong()));
    } else {
      stream.putNull();
    }
  }
}
