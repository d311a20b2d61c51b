package io.tailrace.metrics.postgres;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.sql.postgres.PostgresServer;
import java.io.Serializable;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a PostgreSQL URI says. Immutable.
 *
 * @param server where it is
 * @param schema name of the schema
 * @param partitions how new tables are partitioned
 * @param keptFor how long rows are kept; null: for ever
 */
record PostgresMetricsAddress(
    PostgresServer server, String schema, Partitions partitions, @Nullable Duration keptFor)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** How a new table is partitioned. */
  enum Partitions {
    /** As a hypertable where there is TimescaleDB, otherwise as with {@link #DAILY}. */
    AUTO,
    /** By day of minute, in UTC. */
    DAILY,
    /** Not at all. */
    NONE
  }

  static final String EXAMPLE =
      "postgresql://db.example.com:5432/metrics?schema=tailrace_metrics&user=writer"
          + "&password=env:PGPASSWORD&sslmode=verify-full&retention=90d";

  private static final Duration SHORTEST_RETENTION = Duration.ofHours(1);
  private static final Duration LONGEST_RETENTION = Duration.ofDays(36_500);

  static PostgresMetricsAddress of(EndpointUri uri) {
    PostgresServer server = PostgresServer.of(uri);
    String schema = uri.take("schema").orElse("tailrace_metrics");
    if (schema.contains("{environment}")) {
      uri.problem(
          "schema="
              + schema
              + " has {environment}, and all environments are in one schema: environment_id is a"
              + " column");
    } else if (!schema.matches("[a-z_][a-z0-9_]{0,62}")) {
      uri.problem(
          "schema="
              + schema
              + " is not a name of up to 63 small letters, digits and '_' that begins with a"
              + " letter");
    } else if (schema.startsWith("pg_") || schema.equals("information_schema")) {
      uri.problem("schema=" + schema + " is a name that PostgreSQL keeps for itself");
    }
    Partitions partitions =
        uri.take("partitions").flatMap(value -> partitions(uri, value)).orElse(Partitions.AUTO);
    Optional<Duration> retention = uri.takeDuration("retention");
    if (retention.isPresent()
        && (retention.get().compareTo(SHORTEST_RETENTION) < 0
            || retention.get().compareTo(LONGEST_RETENTION) > 0)) {
      uri.problem("retention is between 1h and 36500d");
    }
    uri.finish(EXAMPLE);
    return new PostgresMetricsAddress(server, schema, partitions, retention.orElse(null));
  }

  private static Optional<Partitions> partitions(EndpointUri uri, String value) {
    Optional<Partitions> found =
        Arrays.stream(Partitions.values())
            .filter(choice -> value.equals(choice.name().toLowerCase(Locale.ROOT)))
            .findFirst();
    if (found.isEmpty()) {
      uri.problem(
          "partitions="
              + value
              + " is none of "
              + Arrays.stream(Partitions.values())
                  .map(choice -> choice.name().toLowerCase(Locale.ROOT))
                  .collect(Collectors.joining(", ")));
    }
    return found;
  }

  /** Returns how long rows are kept; empty: for ever. */
  Optional<Duration> retention() {
    return Optional.ofNullable(keptFor);
  }

  /** Returns the URI, without secrets. */
  String text() {
    return server.text();
  }

  /** Returns the name of something in the schema, as it stands in a statement. */
  String place(String name) {
    return '"' + schema + "\".\"" + name + '"';
  }
}
