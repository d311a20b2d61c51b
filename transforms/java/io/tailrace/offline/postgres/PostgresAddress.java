package io.tailrace.offline.postgres;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.parquet.TableNames;
import io.tailrace.sql.postgres.PostgresServer;
import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a PostgreSQL URI says. Immutable.
 *
 * @param server where it is
 * @param schema name of the schema, perhaps with {@link #ENVIRONMENT} in it
 * @param partitions how new tables are partitioned
 * @param index how new tables are indexed
 */
record PostgresAddress(PostgresServer server, String schema, Partitions partitions, Index index)
    implements Serializable {
  private static final long serialVersionUID = 1;

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

  static final String EXAMPLE =
      "postgresql://db.example.com:5432/features?schema=tailrace_{environment}&user=writer"
          + "&password=env:PGPASSWORD&sslmode=verify-full";

  static PostgresAddress of(EndpointUri uri) {
    PostgresServer server = PostgresServer.of(uri);
    String schema = uri.take("schema").orElse("tailrace");
    checkSchema(uri, schema);
    PostgresAddress address =
        new PostgresAddress(
            server,
            schema,
            takeChoice(uri, "partitions", Partitions.class).orElse(Partitions.NONE),
            takeChoice(uri, "index", Index.class).orElse(Index.PKEY));
    uri.finish(EXAMPLE);
    return address;
  }

  private static void checkSchema(EndpointUri uri, String schema) {
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
        schema.equals(fixed)
            ? TableNames.MAX_LENGTH
            : TableNames.MAX_LENGTH - TableNames.LONGEST_ENVIRONMENT;
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
      EndpointUri uri, String name, Class<E> choices) {
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

  /** Returns the URI, without secrets. */
  String text() {
    return server.text();
  }
}
