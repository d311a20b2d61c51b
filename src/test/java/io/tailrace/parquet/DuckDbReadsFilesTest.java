package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.offline.BundleEncoder;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.QueryResult;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That another reader of Parquet sees in our files what we do. */
public class DuckDbReadsFilesTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private Connection duckDb;

  @Before
  public void open() throws Exception {
    duckDb = DriverManager.getConnection("jdbc:duckdb:");
    try (Statement statement = duckDb.createStatement()) {
      statement.execute("SET TimeZone='UTC'");
    }
  }

  @After
  public void close() throws Exception {
    duckDb.close();
  }

  @Test
  public void everyObservationIsTheSame() throws Exception {
    RandomResults random = RandomResults.seeded(31).withDeletions(0.3).withRowsUpTo(20);
    List<QueryResult> results = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      results.add(random.next());
    }
    int types = 0;
    for (ObservationFile file : BundleEncoder.files(results)) {
      if (file.kind() == Kind.OBSERVATIONS) {
        types++;
        assertWithMessage("%s", file.valueType())
            .that(rows(file))
            .containsExactlyElementsIn(FileRows.of(file))
            .inOrder();
      }
    }
    // Nine types and deletions, by strings and by integers.
    assertThat(types).isEqualTo(20);
  }

  @Test
  public void theFooterSaysWhatTheFileHolds() throws Exception {
    List<ObservationFile> files =
        BundleEncoder.files(
            Results.of(Results.user("ann", Results.int64("age", RandomResults.START, 42))));

    Map<String, String> observations = footer(files.get(0));
    assertThat(observations.remove("tailrace.crc32c")).matches("[0-9a-f]{8}");
    assertThat(observations)
        .containsExactly(
            "tailrace.kind", "observations",
            "tailrace.value_type", "INT64",
            "tailrace.environment_id", "production",
            "tailrace.schema_version", "1",
            "tailrace.published_from", Long.toString(BundleEncoder.PUBLISHED_AT));
    assertThat(footer(files.get(1))).containsEntry("tailrace.kind", "query_log");
    assertThat(footer(files.get(1))).doesNotContainKey("tailrace.value_type");
  }

  @Test
  public void nullsAreFoundByAQueryThatTrustsTheStatistics() throws Exception {
    QueryResult result =
        Results.of(
            Results.user(
                "ann",
                Results.int64("age", RandomResults.START, 42),
                Results.nothing("zip", RandomResults.START, CacheNulls.WRITE_NULLS)));
    Path path = write(BundleEncoder.files(result).get(0));

    assertThat(text("SELECT feature FROM read_parquet('" + path + "') WHERE value IS NULL"))
        .isEqualTo("user.zip");
    assertThat(text("SELECT coalesce(max(resolver_fqn), '-') FROM read_parquet('" + path + "')"))
        .isEqualTo("-");
    assertThat(
            text(
                "SELECT stats_null_count FROM parquet_metadata('"
                    + path
                    + "') WHERE path_in_schema = 'value'"))
        .isAnyOf("1", null);
  }

  private String text(String sql) throws SQLException {
    try (Statement statement = duckDb.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      assertWithMessage(sql).that(found.next()).isTrue();
      return found.getString(1);
    }
  }

  private Path write(ObservationFile file) throws Exception {
    Path path = folder.newFile().toPath();
    Files.write(path, file.bytes());
    return path;
  }

  private Map<String, String> footer(ObservationFile file) throws Exception {
    Map<String, String> footer = new TreeMap<>();
    try (Statement statement = duckDb.createStatement();
        ResultSet found =
            statement.executeQuery(
                "SELECT decode(key), decode(value) FROM parquet_kv_metadata('"
                    + write(file)
                    + "')")) {
      while (found.next()) {
        footer.put(found.getString(1), found.getString(2));
      }
    }
    return footer;
  }

  private List<String> rows(ObservationFile file) throws Exception {
    List<String> rows = new ArrayList<>();
    try (Statement statement = duckDb.createStatement();
        ResultSet found =
            statement.executeQuery(
                "SELECT feature, replace(observation_id::VARCHAR, '-', ''), pkey::VARCHAR, "
                    + file.valueType().map(DuckDbReadsFilesTest::sql).orElse("NULL")
                    + ", epoch_us(observed_at), resolver_fqn,"
                    + " deployment_id, operation_id, deleted FROM read_parquet('"
                    + write(file)
                    + "')")) {
      while (found.next()) {
        rows.add(
            FileRows.row(
                found.getString(1),
                found.getString(2),
                found.getString(3),
                value(file, found),
                found.getLong(5),
                Objects.requireNonNullElse(found.getString(6), ""),
                Objects.requireNonNullElse(found.getString(7), ""),
                found.getString(8),
                found.getBoolean(9)));
      }
    }
    return rows;
  }

  /** Times and dates at the end of all days are infinite to DuckDB. */
  private static String sql(ValueType type) {
    return switch (type) {
      case INT64, FLOAT64, VECTOR -> "value";
      case BOOL -> "value::INTEGER";
      case TIMESTAMP -> "CASE WHEN isinf(value) THEN 9223372036854775807 ELSE epoch_us(value) END";
      case DATE ->
          "CASE WHEN isinf(value) THEN 2147483647"
              + " ELSE date_diff('day', DATE '1970-01-01', value) END";
      case STRING, JSON -> "lower(hex(encode(value::VARCHAR)))";
      case BYTES -> "lower(hex(value))";
    };
  }

  private static String value(ObservationFile file, ResultSet found) throws SQLException {
    Object value = found.getObject(4);
    if (value == null) {
      return "null";
    }
    return switch (file.valueType().orElseThrow()) {
      case FLOAT64 -> Long.toHexString(Double.doubleToRawLongBits(found.getDouble(4)));
      case VECTOR -> {
        Object[] numbers = (Object[]) found.getArray(4).getArray();
        ByteBuffer bytes = ByteBuffer.allocate(numbers.length * Float.BYTES);
        for (Object number : numbers) {
          bytes.putFloat((float) number);
        }
        yield FileRows.hex(bytes.array());
      }
      default -> found.getString(4);
    };
  }
}
