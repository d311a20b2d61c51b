package io.tailrace.metrics.duckdb;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsStore;
import io.tailrace.metrics.MetricsTable;
import io.tailrace.sql.duckdb.DuckDbFile;
import io.tailrace.sql.duckdb.DuckDbIdentity;
import io.tailrace.sql.duckdb.DuckDbSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A file of DuckDB, which one process can have open at a time: all writers in it share one instance
 * of the database, be it for this or for an offline store, and wait for each other. Immutable.
 *
 * <p>{@code duckdb:///data/metrics.db} is the file {@code /data/metrics.db}. Parameters: {@code
 * schema} (default {@code tailrace_metrics}), {@code retention} (such as {@code 90d}; older rows
 * are deleted by whoever writes, at most once an hour; default: for ever), {@code memoryLimit}
 * (default {@code 1GB}; what DuckDB takes beside the heap), {@code threads} (default: half the
 * processors), {@code logMegabytes} (default 64; how large the log grows before it is written back
 * into the tables), {@code compression} ({@code full} or {@code fast}). Of stores in one file, the
 * one that opens it first decides about the last four.
 */
public final class DuckDbMetricsStore implements MetricsStore {
  private static final long serialVersionUID = 1;

  /** A correct URI. */
  public static final String EXAMPLE = "duckdb:///data/metrics.db?schema=tailrace_metrics";

  private static final Duration SHORTEST_RETENTION = Duration.ofHours(1);
  private static final Duration LONGEST_RETENTION = Duration.ofDays(36_500);

  private final String uri;
  private final String path;
  private final String schema;
  private final @Nullable Duration retention;
  private final DuckDbSettings settings;

  private DuckDbMetricsStore(
      String uri,
      String path,
      String schema,
      Optional<Duration> retention,
      DuckDbSettings settings) {
    this.uri = uri;
    this.path = path;
    this.schema = schema;
    this.retention = retention.orElse(null);
    this.settings = settings;
  }

  /**
   * Returns the store that a {@code duckdb} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static DuckDbMetricsStore at(EndpointUri uri) {
    String text = uri.withoutSecrets();
    if (!text.startsWith("duckdb:///")) {
      uri.problem("the path of the file follows three slashes");
    } else if (uri.path().isEmpty() || uri.path().endsWith("/")) {
      uri.problem("the path of the file is missing");
    }
    String schema = uri.take("schema").orElse("tailrace_metrics");
    if (schema.contains("{environment}") || uri.path().contains("{environment}")) {
      uri.problem(
          "{environment} has no place here, as all environments are in one schema: environment_id"
              + " is a column");
    } else if (!schema.matches("[a-z_][a-z0-9_]{0,62}")) {
      uri.problem(
          "schema="
              + schema
              + " is not a name of up to 63 small letters, digits and '_' that begins with a"
              + " letter");
    }
    if (schema.startsWith("pg_") || schema.equals("information_schema")) {
      uri.problem("schema=" + schema + " is one of DuckDB's own");
    }
    Optional<Duration> retention = uri.takeDuration("retention");
    if (retention.isPresent()
        && (retention.get().compareTo(SHORTEST_RETENTION) < 0
            || retention.get().compareTo(LONGEST_RETENTION) > 0)) {
      uri.problem("retention is between 1h and 36500d");
    }
    DuckDbSettings settings = DuckDbSettings.of(uri);
    uri.finish(EXAMPLE);
    return new DuckDbMetricsStore(text, "/" + uri.path(), schema, retention, settings);
  }

  @Override
  public String uri() {
    return uri;
  }

  @Override
  public boolean isForOneProcess() {
    return true;
  }

  String schema() {
    return schema;
  }

  Optional<Duration> retention() {
    return Optional.ofNullable(retention);
  }

  DuckDbFile open() throws UnavailableException {
    return DuckDbFile.open(Path.of(path), settings);
  }

  @Override
  public void check() throws UnavailableException {
    open().release();
  }

  @Override
  public String identity() throws UnavailableException {
    return DuckDbIdentity.of(open(), "metrics");
  }

  @Override
  public Connection connect(List<MetricsTable> tables) {
    return new DuckDbMetricsConnection(this, tables);
  }

  @Override
  public String toString() {
    return uri;
  }
}
