package io.tailrace.offline.postgres;

import io.tailrace.offline.TableNames;
import io.tailrace.uri.ResourceUri;
import io.tailrace.uri.Secret;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a PostgreSQL URI says. Immutable.
 *
 * @param text the URI, without secrets
 * @param hosts {@code host:port} of the server, or of several of which one can be written to
 * @param database name of the database
 * @param schema name of the schema, perhaps with {@link #ENVIRONMENT} in it
 * @param user empty: the name of whoever runs this program, as PostgreSQL's own tools have it
 * @param password where the password is
 * @param sslMode as PostgreSQL's own tools have it; empty: TLS if the server speaks it
 * @param caFile a PEM file with the certificates to trust; empty: the JVM's
 * @param partitions how new tables are partitioned
 * @param index how new tables are indexed
 * @param connectTimeout for opening a connection
 * @param timeout for a statement
 * @param retryFor for how long a store that is down is tried again before the bundle fails
 */
record PostgresAddress(
    String text,
    List<String> hosts,
    String database,
    String schema,
    Optional<String> user,
    Optional<Secret> password,
    Optional<String> sslMode,
    Optional<String> caFile,
    Partitions partitions,
    Index index,
    Duration connectTimeout,
    Duration timeout,
    Duration retryFor) {
  /** How a new table is partitioned. */
  enum Partitions {
    /** Not at all. */
    NONE,
    /** By month of observed_at, in UTC. */
    MONTHLY
  }

  /** Which index a new table has besides that of its primary key. */
  enum Index {
    /** On pkey and observed_at, for reading an entity's values as of a time. */
    PKEY,
    /** None. */
    NONE
  }

  /** Stands for the environment in the name of a schema. */
  static final String ENVIRONMENT = "{environment}";

  private static final String EXAMPLE =
      "postgresql://db.example.com:5432/features?schema=tailrace_{environment}&user=writer"
          + "&password=env:PGPASSWORD&sslmode=verify-full";

  private static final int DEFAULT_PORT = 5432;

  /** The longest that {@link TableNames#ofEnvironment} returns. */
  private static final int LONGEST_ENVIRONMENT = TableNames.MAX_LENGTH / 2 + 9;

  private static final Set<String> SSL_MODES =
      Set.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");

  static PostgresAddress of(ResourceUri uri) {
    List<String> hosts = uri.hosts(DEFAULT_PORT).stream().map(ResourceUri.Host::toString).toList();
    if (uri.path().isEmpty() || uri.path().contains("/")) {
      uri.problem(
          uri.path().isEmpty()
              ? "the name of the database is missing: postgresql://host/DATABASE"
              : "'" + uri.path() + "' is not the name of a database");
    }
    String schema = uri.take("schema").orElse("tailrace");
    checkSchema(uri, schema);
    Optional<String> user = uri.take("user");
    Optional<Secret> password = uri.takeSecret("password");
    if (password.isPresent() && user.isEmpty()) {
      uri.problem("password=" + password.get() + " needs user=NAME");
    }
    Optional<String> sslMode = uri.take("sslmode");
    if (sslMode.isPresent() && !SSL_MODES.contains(sslMode.get())) {
      uri.problem(
          "sslmode="
              + sslMode.get()
              + " is none of disable, allow, prefer, require, verify-ca, verify-full");
    }
    Optional<String> caFile = uri.take("caFile");
    if (caFile.isPresent() && !sslMode.map(mode -> mode.startsWith("verify-")).orElse(false)) {
      uri.problem("caFile needs sslmode=verify-full, or verify-ca to accept any host's name");
    }
    PostgresAddress address =
        new PostgresAddress(
            uri.withoutSecrets(),
            hosts,
            uri.path(),
            schema,
            user,
            password,
            sslMode,
            caFile,
            takeChoice(uri, "partitions", Partitions.class).orElse(Partitions.NONE),
            takeChoice(uri, "index", Index.class).orElse(Index.PKEY),
            uri.takeDuration("connectTimeout").orElse(Duration.ofSeconds(5)),
            uri.takeDuration("timeout").orElse(Duration.ofMinutes(1)),
            uri.takeDuration("retryFor").orElse(Duration.ofSeconds(30)));
    if (address.timeout().isZero() || address.connectTimeout().isZero()) {
      uri.problem("timeout and connectTimeout must be longer than nothing");
    }
    uri.finish(EXAMPLE);
    return address;
  }

  private static void checkSchema(ResourceUri uri, String schema) {
    String fixed = schema.replaceFirst("\\Q" + ENVIRONMENT + "\\E", "");
    if (!schema.replace(ENVIRONMENT, "e").matches("[a-z_][a-z0-9_]*")) {
      uri.problem(
          "schema="
              + schema
              + " may have small letters, digits, '_' and {environment} only, and begin with a"
              + " letter");
    } else if (fixed.contains(ENVIRONMENT)) {
      uri.problem("schema=" + schema + " has {environment} twice");
    } else if (fixed.startsWith("pg_") || schema.equals("information_schema")) {
      uri.problem("schema=" + schema + " is a name that PostgreSQL keeps for itself");
    }
    // PostgreSQL would cut off the end, and environments would share a schema.
    int longest =
        schema.equals(fixed) ? TableNames.MAX_LENGTH : TableNames.MAX_LENGTH - LONGEST_ENVIRONMENT;
    if (fixed.length() > longest) {
      uri.problem(
          "schema="
              + schema
              + " is longer than "
              + longest
              + " letters"
              + (schema.equals(fixed) ? "" : " besides {environment}"));
    }
  }

  private static <E extends Enum<E>> Optional<E> takeChoice(
      ResourceUri uri, String name, Class<E> choices) {
    return uri.take(name)
        .flatMap(
            value -> {
              for (E choice : choices.getEnumConstants()) {
                if (value.equals(choice.name().toLowerCase(Locale.ROOT))) {
                  return Optional.of(choice);
                }
              }
              uri.problem(
                  name
                      + "="
                      + value
                      + " is none of "
                      + List.of(choices.getEnumConstants()).stream()
                          .map(choice -> choice.name().toLowerCase(Locale.ROOT))
                          .collect(Collectors.joining(", ")));
              return Optional.empty();
            });
  }

  /** Returns whether each environment has a schema of its own. */
  boolean separatesEnvironments() {
    return schema.contains(ENVIRONMENT);
  }

  /** Returns the name of an environment's schema. */
  String schema(String environment) {
    return separatesEnvironments()
        ? schema.replace(ENVIRONMENT, TableNames.ofEnvironment(environment))
        : schema;
  }

  /** Returns how long a statement may take, as the server wants it. */
  int timeoutMillis() {
    return (int) Math.min(Integer.MAX_VALUE, timeout.toMillis());
  }

  /** Returns the address as the driver wants it. */
  String jdbcUrl() {
    return "jdbc:postgresql://"
        + String.join(",", hosts)
        + "/"
        + URLEncoder.encode(database, StandardCharsets.UTF_8);
  }
}
