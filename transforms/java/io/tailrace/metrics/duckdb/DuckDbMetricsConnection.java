package io.tailrace.metrics.duckdb;

import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Lists;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsStore;
import io.tailrace.metrics.MetricsTable;
import io.tailrace.metrics.MetricsView;
import io.tailrace.metrics.ReservedSeries;
import io.tailrace.metrics.SummaryOrder;
import io.tailrace.sql.Column;
import io.tailrace.sql.Conflict;
import io.tailrace.sql.Table;
import io.tailrace.sql.Tables;
import io.tailrace.sql.duckdb.DuckDbCatalog;
import io.tailrace.sql.duckdb.DuckDbSession;
import io.tailrace.v1.MetricsSummary;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes summaries to a DuckDB file: into a temporary table, and from there with one statement, as
 * a statement for each row costs DuckDB many times as much. Not thread-safe.
 */
final class DuckDbMetricsConnection implements MetricsStore.Connection {
  private static final Logger LOG = LoggerFactory.getLogger(DuckDbMetricsConnection.class);

  /** Rows that are written in one transaction, which are held in memory until it is committed. */
  private static final int ROWS_PER_TRANSACTION = 10_000;

  private static final Duration BETWEEN_DELETIONS = Duration.ofHours(1);

  private final DuckDbMetricsStore store;
  private final ImmutableList<MetricsTable> tables;
  private final DuckDbSession session;
  private final DuckDbCounters counters = new DuckDbCounters();
  private final ReservedSeries reserved = new ReservedSeries();

  private boolean prepared;
  private Instant deletedAt = Instant.MIN;

  DuckDbMetricsConnection(DuckDbMetricsStore store, List<MetricsTable> tables) {
    this.store = store;
    this.tables = ImmutableList.copyOf(tables);
    this.session = new DuckDbSession(store::open);
  }

  @Override
  public int write(List<MetricsSummary> summaries) throws UnavailableException {
    List<MetricsSummary> folded = SummaryOrder.fold(summaries);
    int changed = 0;
    boolean done = false;
    try {
      for (MetricsTable table : tables) {
        List<MetricsSummary> rows = folded.stream().filter(table::holds).toList();
        for (List<MetricsSummary> some : Lists.partition(rows, ROWS_PER_TRANSACTION)) {
          changed += writeSome(table, some);
        }
      }
      done = true;
    } finally {
      // Whatever failed, somebody may have changed the tables.
      prepared &= done;
    }
    if (prepared) {
      deleteReserved();
      deleteOld();
    }
    return changed;
  }

  /** Writes rows, and once more where tables turn out to be no longer what they were. */
  private int writeSome(MetricsTable table, List<MetricsSummary> summaries)
      throws UnavailableException {
    if (prepared) {
      try {
        return write(table, summaries);
      } catch (UnavailableException e) {
        LOG.info("{}: looking at the tables again: {}", store.uri(), e.getMessage());
        prepared = false;
      }
    }
    return write(table, summaries);
  }

  private int write(MetricsTable table, List<MetricsSummary> summaries)
      throws UnavailableException {
    session.beside(
        open -> {
          counters.count(open.file());
          stage(open.statement(), table, summaries);
          return true;
        });
    if (!prepared) {
      create();
      prepared = true;
    }
    return session.transaction(
        open -> {
          String names = names(table);
          int changed =
              open.statement()
                  .executeUpdate(
                      table.upsert(
                          open.catalog(store.schema()).place(table.name()),
                          "SELECT " + names + ", now() FROM temp." + staging(table)));
          open.statement().execute("DROP TABLE temp." + staging(table));
          return changed;
        });
  }

  private static String names(MetricsTable table) {
    return table.columns().stream().map(Column::name).collect(Collectors.joining(", "));
  }

  private static String staging(MetricsTable table) {
    return "staged_" + table.name();
  }

  private static void stage(Statement statement, MetricsTable table, List<MetricsSummary> summaries)
      throws SQLException {
    statement.execute(
        "CREATE OR REPLACE TEMP TABLE "
            + staging(table)
            + " ("
            + table.columns().stream()
                .map(column -> column.name() + " " + DUCKDB.type(column.type()))
                .collect(Collectors.joining(", "))
            + ")");
    DuckDBConnection duckDb = statement.getConnection().unwrap(DuckDBConnection.class);
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

  private void create() throws UnavailableException {
    Tables found =
        session.transaction(
            open -> {
              DuckDbCatalog catalog = open.catalog(store.schema());
              Tables now =
                  catalog.bringAbout(
                      open.statement(), tables.stream().map(MetricsTable::table).toList());
              if (now.conflicts().isEmpty()) {
                createViews(catalog, open.statement());
              }
              return now;
            });
    for (Map.Entry<Table, List<Conflict>> conflict : found.conflicts().entrySet()) {
      throw new UnavailableException(
          store.uri()
              + ": the table "
              + store.schema()
              + "."
              + conflict.getKey().name()
              + " "
              + Tables.sentence(conflict.getValue())
              + "; rename it, and another one is created");
    }
  }

  /** A view names its table alone, so that it works wherever the file is attached. */
  private static void createViews(DuckDbCatalog catalog, Statement statement) throws SQLException {
    Set<String> names =
        Arrays.stream(MetricsView.values()).map(MetricsView::view).collect(Collectors.toSet());
    Map<String, Set<String>> there = catalog.columnsOfViews(statement, names);
    for (MetricsView view : MetricsView.values()) {
      Set<String> columns = there.get(view.view());
      if (columns == null || view.isEarlier(columns)) {
        statement.execute(view.create(catalog.place(view.view()), DUCKDB.quoted(view.table())));
      }
    }
  }

  /** Deletes old rows of reserved namespaces, at most once an hour. */
  private void deleteReserved() {
    Optional<String> due = reserved.due(Instant.now());
    if (due.isEmpty()) {
      return;
    }
    for (MetricsTable table : tables) {
      if (table.isOfFeatures()) {
        delete(table, due.get());
      }
    }
  }

  /** Others are written without that, so that a failure is said. */
  private void delete(MetricsTable table, String rows) {
    try {
      int unused =
          session.transaction(
              open ->
                  open.statement()
                      .executeUpdate(
                          "DELETE FROM "
                              + open.catalog(store.schema()).place(table.name())
                              + " WHERE "
                              + rows));
    } catch (UnavailableException e) {
      LOG.warn("Old rows of {} are kept for now: {}", table.name(), e.getMessage());
    }
  }

  /** Deletes rows older than the retention, at most once an hour. */
  private void deleteOld() {
    if (store.retention().isEmpty()
        || Duration.between(deletedAt, Instant.now()).compareTo(BETWEEN_DELETIONS) < 0) {
      return;
    }
    deletedAt = Instant.now();
    for (MetricsTable table : tables) {
      delete(
          table,
          "minute < now() - INTERVAL '"
              + store.retention().orElseThrow().toSeconds()
              + " seconds'");
    }
  }

  @Override
  public void close() {
    session.close();
  }
}
