package io.tailrace.parquet;

import io.tailrace.offline.BundleEncoder;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A file of the streaming-insert bus that somebody else publishes: written by DuckDB, from SQL, as
 * the documentation says. Immutable.
 *
 * @param columns the SQL of each column, in terms of the columns of {@code rows}
 * @param rows a FROM clause with the columns {@code feature, pkey, value, observed_at,
 *     operation_id}
 * @param footer the key-value metadata
 */
public record ForeignFile(Map<String, String> columns, String rows, Map<String, String> footer) {
  static final String ENVIRONMENT = "production";

  /** What the documentation of {@link ObservationIds} says, for DuckDB. */
  static final String LAST_TEXT = "''";

  static final String ID =
      "md5(strlen(operation_id) || ':' || operation_id || strlen(feature) || ':' || feature"
          + " || strlen(pkey::VARCHAR) || ':' || pkey"
          + " || strlen(epoch_us(observed_at)::VARCHAR) || ':' || epoch_us(observed_at) || "
          + LAST_TEXT
          + ")::UUID";

  /** Copies the maps. */
  public ForeignFile {
    columns = new LinkedHashMap<>(columns);
    footer = new TreeMap<>(footer);
  }

  /**
   * Returns a file of values.
   *
   * @param rows each a SQL row of feature, pkey, value, observed_at, operation_id
   */
  public static ForeignFile of(ValueType type, String... rows) {
    Map<String, String> columns = new LinkedHashMap<>();
    columns.put("feature", "feature");
    columns.put("observation_id", ID);
    columns.put("pkey", "pkey");
    columns.put("value", "value");
    columns.put("observed_at", "observed_at");
    columns.put("resolver_fqn", "'resolvers.get'");
    columns.put("deployment_id", "NULL::VARCHAR");
    columns.put("operation_id", "operation_id");
    columns.put("deleted", "false");
    Map<String, String> footer = new TreeMap<>();
    footer.put("tailrace.kind", "observations");
    footer.put("tailrace.value_type", type.name());
    footer.put("tailrace.environment_id", ENVIRONMENT);
    footer.put("tailrace.schema_version", "1");
    return new ForeignFile(
        columns,
        "(VALUES "
            + String.join(", ", rows)
            + ") AS rows(feature, pkey, value, observed_at, operation_id)",
        footer);
  }

  /** Returns a file of deletions; the rows have a value, which is left out. */
  public static ForeignFile ofDeletions(String... rows) {
    return of(ValueType.INT64, rows)
        .without("value")
        .with("deleted", "true")
        .with("observation_id", ID.replace(LAST_TEXT, "'7:deleted'"))
        .withoutText("tailrace.value_type");
  }

  /** Returns the same with another column. */
  public ForeignFile with(String column, String sql) {
    Map<String, String> changed = new LinkedHashMap<>(columns);
    changed.put(column, sql);
    return new ForeignFile(changed, rows, footer);
  }

  public ForeignFile without(String column) {
    Map<String, String> changed = new LinkedHashMap<>(columns);
    changed.remove(column);
    return new ForeignFile(changed, rows, footer);
  }

  /** Returns the same with another text in the footer. */
  public ForeignFile withText(String key, String value) {
    Map<String, String> changed = new TreeMap<>(footer);
    changed.put(key, value);
    return new ForeignFile(columns, rows, changed);
  }

  public ForeignFile withoutText(String key) {
    Map<String, String> changed = new TreeMap<>(footer);
    changed.remove(key);
    return new ForeignFile(columns, rows, changed);
  }

  public byte[] bytes() throws SQLException, IOException {
    return bytes("SNAPPY");
  }

  public byte[] bytes(String compression) throws SQLException, IOException {
    Path path = Files.createTempFile("foreign", ".parquet");
    try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = duckDb.createStatement()) {
      statement.execute("SET TimeZone='UTC'");
      statement.execute("SET threads=1");
      statement.execute(
          columns.entrySet().stream()
                  .map(column -> column.getValue() + " AS " + column.getKey())
                  .collect(Collectors.joining(", ", "COPY (SELECT ", ""))
              + " FROM "
              + rows
              + ") TO '"
              + path
              + "' (FORMAT parquet, COMPRESSION "
              + compression
              + ", KV_METADATA {"
              + footer.entrySet().stream()
                  .map(text -> "'" + text.getKey() + "': '" + text.getValue() + "'")
                  .collect(Collectors.joining(", "))
              + "})");
      return Files.readAllBytes(path);
    } finally {
      Files.delete(path);
    }
  }

  public ObservationFile file() throws Exception {
    return FileDecoder.decode(BundleEncoder.message(bytes()));
  }
}
