package io.tailrace.metrics.duckdb;

import static java.util.Objects.requireNonNull;

import com.google.common.collect.Lists;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsStore;
import io.tailrace.metrics.MetricsTable;
import io.tailrace.metrics.MetricsView;
import io.tailrace.metrics.SummaryOrder;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.v1.MetricsSummary;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;

/**
 * Writes summaries to a DuckDB file: into a temporary table, and from there with one statement, as
 * a statement for each row costs DuckDB many times as much. Not thread-safe.
 */
final class DuckDbMetricsConnection implements MetricsStore.Connection {
  /** Rows that are written in one transaction, which are held in memory until it is committed. */
  private static final int ROWS_PER_TRANSACTION = 10_000;

  private static final Duration BETWEEN_DELETIONS = Duration.ofHours(1);

  private final DuckDbMetricsStore store;
  private @Nullable DuckDbFile file;
  private @Nullable Connection connection;
  private String database = "";
  private boolean prepared;
  private Instant deletedAt = Instant.MIN;

  DuckDbMetricsConnection(DuckDbMetricsStore store) {
    this.store = store;
  }

  @Override
  public int write(List<MetricsSummary> summaries) throws UnavailableException {
    Map<MetricsTable, List<MetricsSummary>> byTable =
        SummaryOrder.fold(summaries).stream().collect(Collectors.groupingBy(MetricsTable::of));
    int changed = 0;
    boolean done = false;
    try {
      connect();
      for (Map.Entry<MetricsTable, List<MetricsSummary>> each : byTable.entrySet()) {
        for (List<MetricsSummary> some : Lists.partition(each.getValue(), ROWS_PER_TRANSACTION)) {
          changed += write(each.getKey(), some);
        }
      }
      deleteOld();
      requireNonNull(file).changed();
      done = true;
      return changed;
    } catch (SQLException e) {
      throw requireNonNull(file).failure(e);
    } finally {
      if (!done) {
        disconnect();
      }
    }
  }

  private void connect() throws UnavailableException, SQLException {
    if (connection == null) {
      file = store.open();
      connection = file.duplicate();
      database = connection.getCatalog();
      prepared = false;
    }
  }

  private interface Work<T> {
    T run(Statement statement) throws SQLException;
  }

  /** Runs a transaction alone on the file: nobody else changes it meanwhile. */
  private <T> T alone(Work<T> work) throws SQLException {
    DuckDbFile open = requireNonNull(file);
    open.writing().lock();
    try (Statement statement = requireNonNull(connection).createStatement()) {
      statement.execute("BEGIN");
      T result = work.run(statement);
      statement.execute("COMMIT");
      return result;
    } finally {
      open.writing().unlock();
    }
  }

  private int write(MetricsTable table, List<MetricsSummary> summaries) throws SQLException {
    stage(table, summaries);
    if (!prepared) {
      alone(this::create);
      prepared = true;
    }
    String rows = "SELECT " + table.names() + ", now() FROM temp." + staging(table);
    String place = place(table.table());
    int changed = alone(statement -> statement.executeUpdate(table.upsert(place, rows)));
    try (Statement statement = requireNonNull(connection).createStatement()) {
      statement.execute("DROP TABLE temp." + staging(table));
    }
    return changed;
  }

  private static String staging(MetricsTable table) {
    return "staged_" + table.table();
  }

  private void stage(MetricsTable table, List<MetricsSummary> summaries) throws SQLException {
    DuckDBConnection duckDb = requireNonNull(connection).unwrap(DuckDBConnection.class);
    try (Statement statement = duckDb.createStatement()) {
      statement.execute(
          "CREATE OR REPLACE TEMP TABLE "
              + staging(table)
              + " ("
              + table.columns().stream()
                  .map(column -> column.name() + " " + column.type())
                  .collect(Collectors.joining(", "))
              + ")");
    }
    try (DuckDBAppender appender = duckDb.createAppender("temp", "main", staging(table))) {
      for (MetricsSummary summary : summaries) {
        appender.beginRow();
        for (Object value : table.row(summary)) {
          append(appender, value);
        }
        appender.endRow();
      }
    }
  }

  private static void append(DuckDBAppender appender, @Nullable Object value) throws SQLException {
    if (value == null) {
      appender.appendNull();
    } else if (value instanceof String text) {
      appender.append(text);
    } else if (value instanceof Long number) {
      appender.append(number);
    } else if (value instanceof Double number) {
      appender.append(number);
    } else if (value instanceof Boolean flag) {
      appender.append(flag);
    } else if (value instanceof OffsetDateTime time) {
      appender.append(time);
    } else if (value instanceof byte[] bytes) {
      appender.append(bytes);
    } else {
      throw new IllegalArgumentException("no column has values of " + value.getClass());
    }
  }

  private int create(Statement statement) throws SQLException {
    statement.execute(
        "CREATE SCHEMA IF NOT EXISTS " + quoted(database) + "." + quoted(store.schema()));
    for (MetricsTable table : MetricsTable.values()) {
      statement.execute(table.create(place(table.table())));
    }
    for (MetricsView view : MetricsView.values()) {
      statement.execute(view.create(this::place));
    }
    return 0;
  }

  /** Deletes rows older than the retention, at most once an hour. */
  private void deleteOld() throws SQLException {
    if (store.retention().isEmpty()
        || !prepared
        || Duration.between(deletedAt, Instant.now()).compareTo(BETWEEN_DELETIONS) < 0) {
      return;
    }
    deletedAt = Instant.now();
    for (MetricsTable table : MetricsTable.values()) {
      int unused =
          alone(
              statement ->
                  statement.executeUpdate(
                      "DELETE FROM "
                          + place(table.table())
                          + " WHERE minute < now() - INTERVAL '"
                          + store.retention().orElseThrow().toSeconds()
                          + " seconds'"));
    }
  }

  /** Returns a name with those of the schema and of the database, as a schema may have the same. */
  private String place(String name) {
    return quoted(database) + "." + quoted(store.schema()) + "." + quoted(name);
  }

  private static String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  private void disconnect() throws UnavailableException {
    Connection open = connection;
    DuckDbFile used = file;
    connection = null;
    file = null;
    try {
      if (open != null) {
        open.close();
      }
    } catch (SQLException e) {
      throw new UnavailableException(store.uri() + ": " + e.getMessage(), e);
    } finally {
      if (used != null) {
        release(used);
      }
    }
  }

  private static void release(DuckDbFile file) throws UnavailableException {
    file.release();
  }

  @Override
  public void close() {
    try {
      disconnect();
    } catch (UnavailableException e) {
      throw new IllegalStateException(e);
    }
  }
}
