package io.tailrace.pipelines.benchmark.rivals;

import io.tailrace.parquet.TableNames;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import org.postgresql.PGConnection;

/**
 * What DuckDB and PostgreSQL do by themselves with files of a column for each feature: rows of a
 * table for each, with ids, without looking for what is there, and without a ledger.
 */
public final class NativeBulkLoads {
  private NativeBulkLoads() {}

  private static Connection connect(String database) throws SQLException {
    Properties settings = new Properties();
    settings.setProperty("memory_limit", "1GB");
    settings.setProperty(
        "threads", Integer.toString(Math.max(1, Runtime.getRuntime().availableProcessors() / 2)));
    return DriverManager.getConnection("jdbc:duckdb:" + database, settings);
  }

  /** Inserts files into a new database and returns rows a second, tables excluded. */
  public static double duckDb(
      List<Path> files, List<FeatureColumn> features, String operation, Path database)
      throws SQLException {
    try (Connection connection = connect(database.toString());
        Statement statement = connection.createStatement()) {
      for (FeatureColumn feature : features) {
        statement.execute(
            "CREATE TABLE "
                + TableNames.ofFeature(feature.feature())
                + "(observation_id UUID NOT NULL, pkey VARCHAR NOT NULL, value "
                + duckDbType(feature.kind().type())
                + ", observed_at TIMESTAMPTZ NOT NULL, inserted_at TIMESTAMPTZ NOT NULL,"
                + " resolver_fqn VARCHAR, deployment_id VARCHAR, operation_id VARCHAR NOT NULL,"
                + " deleted BOOLEAN NOT NULL)");
      }
      long start = System.nanoTime();
      long rows = 0;
      for (FeatureColumn feature : features) {
        rows +=
            statement.executeLargeUpdate(
                "INSERT INTO "
                    + TableNames.ofFeature(feature.feature())
                    + " "
                    + select(files, feature, operation));
      }
      statement.execute("CHECKPOINT");
      return rows * 1e9 / (System.nanoTime() - start);
    }
  }

  private static String duckDbType(ValueType type) {
    return switch (type) {
      case INT64 -> "BIGINT";
      case FLOAT64 -> "DOUBLE";
      default -> "VARCHAR";
    };
  }

  private static String select(List<Path> files, FeatureColumn feature, String operation) {
    return "SELECT md5('"
        + text(operation)
        + text(feature.feature())
        + "' || strlen(user_id) || ':' || user_id || strlen(epoch_us(ts)::VARCHAR) || ':' ||"
        + " epoch_us(ts))::UUID, user_id, "
        + feature.column()
        + ", ts, current_timestamp, '"
        + feature.resolverFqn()
        + "', NULL, '"
        + operation
        + "', false FROM read_parquet("
        + files.stream()
            .map(file -> "'" + file.toString().replace("'", "''") + "'")
            .collect(Collectors.joining(", ", "[", "]"))
        + ") WHERE "
        + feature.column()
        + " IS NOT NULL";
  }

  private static String text(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length + ":" + text;
  }

  /** Copies the rows of files into new tables and returns rows a second, the texts excluded. */
  public static double postgres(
      List<Path> files,
      List<FeatureColumn> features,
      String operation,
      LocalPostgres server,
      String schema,
      Path texts)
      throws SQLException, IOException {
    Files.createDirectories(texts);
    List<Path> copies = new ArrayList<>();
    try (Connection connection = connect("");
        Statement statement = connection.createStatement()) {
      for (FeatureColumn feature : features) {
        Path copy = texts.resolve(feature.column() + ".csv");
        copies.add(copy);
        if (!Files.exists(copy)) {
          statement.execute(
              "COPY (" + select(files, feature, operation) + ") TO '" + copy + "' (HEADER false)");
        }
      }
    }
    try (Connection connection = server.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA " + schema);
      for (FeatureColumn feature : features) {
        String table = schema + "." + TableNames.ofFeature(feature.feature());
        statement.execute(
            "CREATE TABLE "
                + table
                + "(observation_id uuid PRIMARY KEY, pkey text NOT NULL COLLATE \"C\", value "
                + postgresType(feature.kind().type())
                + ", observed_at timestamptz NOT NULL, inserted_at timestamptz NOT NULL,"
                + " resolver_fqn text, deployment_id text, operation_id text NOT NULL,"
                + " deleted boolean NOT NULL)");
        statement.execute("CREATE INDEX ON " + table + " (pkey, observed_at)");
      }
      long start = System.nanoTime();
      long rows = 0;
      for (int i = 0; i < features.size(); i++) {
        try (InputStream text = Files.newInputStream(copies.get(i))) {
          rows +=
              connection
                  .unwrap(PGConnection.class)
                  .getCopyAPI()
                  .copyIn(
                      "COPY "
                          + schema
                          + "."
                          + TableNames.ofFeature(features.get(i).feature())
                          + " FROM STDIN (FORMAT csv)",
                      text);
        }
      }
      return rows * 1e9 / (System.nanoTime() - start);
    }
  }

  private static String postgresType(ValueType type) {
    return switch (type) {
      case INT64 -> "bigint";
      case FLOAT64 -> "double precision";
      default -> "text";
    };
  }
}
