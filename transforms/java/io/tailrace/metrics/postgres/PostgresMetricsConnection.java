package io.tailrace.metrics.postgres;

import com.google.common.collect.Lists;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsStore;
import io.tailrace.metrics.MetricsTable;
import io.tailrace.metrics.SummaryOrder;
import io.tailrace.sql.Column;
import io.tailrace.sql.postgres.PostgresCatalog;
import io.tailrace.sql.postgres.PostgresSession;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import io.tailrace.sql.postgres.SqlState;
import io.tailrace.v1.MetricsSummary;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes summaries to PostgreSQL. Not thread-safe. */
final class PostgresMetricsConnection implements MetricsStore.Connection {
  /** Rows that are written in one transaction, and so may wait for those of another writer. */
  private static final int ROWS_PER_TRANSACTION = 1_000;

  /** After so many attempts to create what is missing, somebody else must be dropping it. */
  private static final int ATTEMPTS = 5;

  private final PostgresMetricsAddress address;
  private final PostgresSession session;
  private final PostgresMetricsTables tables;
  private final Retention retention;
  private final Map<MetricsTable, String> upserts = new LinkedHashMap<>();

  PostgresMetricsConnection(PostgresMetricsAddress address, List<MetricsTable> tables) {
    this.address = address;
    this.session = new PostgresSession(address.server());
    PostgresCatalog catalog =
        new PostgresCatalog(address.server(), session, new PostgresMetricsTables.Names());
    this.tables = new PostgresMetricsTables(address, catalog, tables);
    this.retention = new Retention(address, catalog, tables);
    for (MetricsTable table : tables) {
      String values = String.join(", ", Collections.nCopies(table.columns().size(), "?"));
      upserts.put(
          table,
          table.upsert(address.place(table.name()), "VALUES (" + values + ", clock_timestamp())"));
    }
  }

  @Override
  public int write(List<MetricsSummary> summaries) throws UnavailableException {
    int changed = 0;
    // In the order of their keys: two writers that lock the same rows never wait in a circle.
    for (List<MetricsSummary> some :
        Lists.partition(SummaryOrder.fold(summaries), ROWS_PER_TRANSACTION)) {
      changed += writeSome(some);
    }
    retention.dropOld(tables.kinds());
    return changed;
  }

  /**
   * Writes rows. If a table or a partition is not there, or is not what it was, looks again,
   * creates what is missing and repeats.
   */
  private int writeSome(List<MetricsSummary> summaries) throws UnavailableException {
    for (int attempt = 1; ; attempt++) {
      try {
        tables.prepareFor(summaries);
        return (int) session.write(connection -> upsert(connection, summaries));
      } catch (RefusedException e) {
        tables.forget();
        if (attempt == ATTEMPTS || SqlState.meaning(e.refusal()) != SqlState.Meaning.TABLES) {
          throw new UnavailableException(SqlState.sentence(address.server(), e.refusal()), e);
        }
      } catch (UnavailableException e) {
        // Somebody may change the tables until the next time.
        tables.forget();
        throw e;
      }
    }
  }

  private long upsert(Connection connection, List<MetricsSummary> summaries) throws SQLException {
    long changed = 0;
    for (Map.Entry<MetricsTable, String> upsert : upserts.entrySet()) {
      try (PreparedStatement statement = connection.prepareStatement(upsert.getValue())) {
        for (MetricsSummary summary : summaries) {
          if (upsert.getKey().holds(summary)) {
            List<@Nullable Object> row = upsert.getKey().row(summary);
            for (int i = 0; i < row.size(); i++) {
              set(statement, i + 1, row.get(i), upsert.getKey().columns().get(i));
            }
            statement.addBatch();
          }
        }
        changed += Arrays.stream(statement.executeBatch()).sum();
      }
    }
    return changed;
  }

  private static void set(
      PreparedStatement statement, int at, @Nullable Object value, Column column)
      throws SQLException {
    if (value != null) {
      statement.setObject(at, value);
    } else {
      statement.setNull(at, jdbcType(column));
    }
  }

  private static int jdbcType(Column column) {
    return switch (column.type()) {
      case BIGINT -> Types.BIGINT;
      case DOUBLE -> Types.DOUBLE;
      case BYTES -> Types.BINARY;
      case TEXT -> Types.VARCHAR;
      case BOOLEAN -> Types.BOOLEAN;
      default -> throw new IllegalArgumentException(column.name() + " can't be null");
    };
  }

  @Override
  public void close() {
    session.close();
  }
}
