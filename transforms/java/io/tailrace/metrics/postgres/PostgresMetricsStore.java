package io.tailrace.metrics.postgres;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsStore;
import io.tailrace.metrics.MetricsTable;
import io.tailrace.sql.postgres.PostgresCheck;
import io.tailrace.sql.postgres.PostgresIdentity;
import java.util.List;

/**
 * PostgreSQL 12 or later, with or without TimescaleDB, at {@code
 * postgresql://host:5432/database?schema=tailrace_metrics&user=NAME&password=env:VARIABLE}.
 *
 * <p>Tables are partitioned when they are created, as {@code partitions} says. With {@code auto},
 * the default, they are hypertables with chunks of a day where the database has the extension
 * {@code timescaledb}, also those that were there without partitions. Otherwise, and with {@code
 * daily}, they are partitioned by the day of {@code minute}, in UTC: the partition of {@code
 * feature_minutes} for 24 November 2026 is {@code feature_minutes_2026_11_24}, created when its
 * first row comes; minutes from before the year 2000 and from 2100 on are in {@code
 * feature_minutes_before_2000} and {@code feature_minutes_from_2100}. With {@code none}, they are
 * plain tables.
 *
 * <p>{@code retention=90d} keeps rows for so long: by a retention policy of TimescaleDB; by
 * dropping partitions of days that ended before; or by deleting rows. The latter two are done by
 * whoever writes, at most once an hour. Without it, rows are kept for ever.
 *
 * <p>Immutable.
 */
public final class PostgresMetricsStore implements MetricsStore {
  private static final long serialVersionUID = 1;

  /** A correct URI. */
  public static final String EXAMPLE = PostgresMetricsAddress.EXAMPLE;

  private final PostgresMetricsAddress address;

  private PostgresMetricsStore(PostgresMetricsAddress address) {
    this.address = address;
  }

  /**
   * Returns the store that a {@code postgresql} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static PostgresMetricsStore at(EndpointUri uri) {
    return new PostgresMetricsStore(PostgresMetricsAddress.of(uri));
  }

  @Override
  public String uri() {
    return address.text();
  }

  @Override
  public void check() throws UnavailableException {
    PostgresCheck.check(address.server(), check -> check.schema(address.schema()));
  }

  @Override
  public String identity() throws UnavailableException {
    return PostgresIdentity.of(address.server(), address.schema());
  }

  @Override
  public Connection connect(List<MetricsTable> tables) {
    return new PostgresMetricsConnection(address, tables);
  }

  @Override
  public String toString() {
    return uri();
  }
}
