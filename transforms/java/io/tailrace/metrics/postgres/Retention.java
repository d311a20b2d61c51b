package io.tailrace.metrics.postgres;

import static io.tailrace.sql.postgres.PostgresCatalog.strings;

import com.google.common.collect.ImmutableList;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsTable;
import io.tailrace.metrics.ReservedSeries;
import io.tailrace.metrics.postgres.PostgresMetricsTables.Kind;
import io.tailrace.sql.postgres.PostgresCatalog;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import io.tailrace.sql.postgres.SqlState;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drops what is older than the retention, at most once an hour; TimescaleDB does so by itself. Rows
 * of reserved namespaces go after a day. Not thread-safe.
 */
final class Retention {
  private static final Logger LOG = LoggerFactory.getLogger(Retention.class);

  private static final Duration BETWEEN_DROPS = Duration.ofHours(1);

  private static final Pattern DAY = Pattern.compile("_(\\d{4}_\\d{2}_\\d{2})$");

  private final PostgresMetricsAddress address;
  private final PostgresCatalog catalog;
  private final ImmutableList<MetricsTable> tables;
  private final ReservedSeries reserved = new ReservedSeries();
  private Instant droppedAt = Instant.MIN;

  Retention(PostgresMetricsAddress address, PostgresCatalog catalog, List<MetricsTable> tables) {
    this.address = address;
    this.catalog = catalog;
    this.tables = ImmutableList.copyOf(tables);
  }

  /**
   * Drops it. Rows are written without that, so that a failure is said, and tried again an hour
   * later.
   *
   * @param kinds what the tables are
   */
  void dropOld(Map<String, Kind> kinds) {
    Optional<String> due = reserved.due(Instant.now());
    if (due.isPresent()) {
      trying(
          "Rows of reserved namespaces",
          () -> {
            for (MetricsTable table : tables) {
              if (table.isOfFeatures()) {
                delete(table, due.get());
              }
            }
          });
    }
    if (address.retention().isEmpty()
        || Duration.between(droppedAt, Instant.now()).compareTo(BETWEEN_DROPS) < 0) {
      return;
    }
    droppedAt = Instant.now();
    String oldest = "now() - INTERVAL '" + Timescale.interval(address.retention().get()) + "'";
    trying(
        "Rows older than the retention",
        () -> {
          for (MetricsTable table : tables) {
            switch (kinds.getOrDefault(table.name(), Kind.HYPERTABLE)) {
              case PLAIN -> delete(table, "minute < " + oldest);
              case DAILY ->
                  catalog.once(
                      address.schema(), connection -> dropDays(connection, table.name(), oldest));
              case HYPERTABLE -> {}
            }
          }
        });
  }

  private interface Work {
    void run() throws RefusedException, UnavailableException;
  }

  private void trying(String what, Work work) {
    try {
      work.run();
    } catch (RefusedException e) {
      LOG.warn("{} are kept for now: {}", what, SqlState.sentence(address.server(), e.refusal()));
    } catch (UnavailableException e) {
      LOG.warn("{} are kept for now: {}", what, e.getMessage());
    }
  }

  private void delete(MetricsTable table, String rows)
      throws RefusedException, UnavailableException {
    catalog.once(
        address.schema(),
        connection -> List.of("DELETE FROM " + address.place(table.name()) + " WHERE " + rows));
  }

  private List<String> dropDays(Connection connection, String table, String oldest)
      throws SQLException {
    // The last day that has ended.
    LocalDate end =
        LocalDate.parse(
            strings(connection, "SELECT ((" + oldest + ") AT TIME ZONE 'UTC')::date::text").get(0));
    List<String> statements = new ArrayList<>();
    for (Map.Entry<String, String> partition :
        catalog.partsOf(connection, address.schema(), table).entrySet()) {
      Matcher day = DAY.matcher(partition.getValue());
      if (day.find()
          && partition.getValue().startsWith(table)
          && LocalDate.parse(day.group(1).replace('_', '-')).isBefore(end)) {
        statements.add("DROP TABLE IF EXISTS " + address.place(partition.getKey()));
      }
    }
    return statements;
  }
}
