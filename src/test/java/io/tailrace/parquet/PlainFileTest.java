package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static io.tailrace.result.ValueType.JSON;

import io.tailrace.offline.BundleEncoder;
import io.tailrace.result.ValueType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Plain files say the same as canonical ones, in fewer types. */
@RunWith(JUnit4.class)
public class PlainFileTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private static Map<ValueType, String> values() {
    Map<ValueType, String> values = new EnumMap<>(ValueType.class);
    values.put(ValueType.INT64, "(-9223372036854775807 - 1)::BIGINT");
    values.put(ValueType.FLOAT64, "-1.5e-300::DOUBLE");
    values.put(ValueType.BOOL, "true");
    values.put(ValueType.STRING, "'Grüße, \"W\\elt\"'");
    values.put(ValueType.BYTES, "'\\x00\\xFF\\x07'::BLOB");
    values.put(ValueType.TIMESTAMP, "TIMESTAMPTZ '1969-12-31 23:59:59.999999+00'");
    values.put(ValueType.DATE, "DATE '1969-12-31'");
    values.put(ValueType.VECTOR, "[1.5, -0.25]::FLOAT[]");
    values.put(JSON, "'{\"a\": [1,  null]}'::JSON");
    return values;
  }

  private static ForeignFile file(ValueType type, String value) {
    String time = "TIMESTAMPTZ '2026-01-02 03:04:05.678901+00'";
    return ForeignFile.of(
        type,
        "('user.b', 'eve', " + value + ", " + time + ", 'op-2')",
        "('user.a', 'ann', NULL, " + time + ", 'op-1')",
        "('user.a', 'ann', " + value + ", " + time + ", 'op-1')",
        "('user.a', 'bob', " + value + ", " + time + ", 'op-1')");
  }

  private static byte[] decodedAgain(byte[] plain) throws Exception {
    return FileDecoder.decode(BundleEncoder.message(plain)).bytes();
  }

  @Test
  public void whoeverDecodesAPlainFileGetsTheCanonicalOne() throws Exception {
    for (Map.Entry<ValueType, String> each : values().entrySet()) {
      ObservationFile canonical = file(each.getKey(), each.getValue()).file();
      assertThat(decodedAgain(PlainFile.of(canonical, "f"))).isEqualTo(canonical.bytes());
    }
    ObservationFile integers =
        file(ValueType.INT64, "7::BIGINT")
            .with("pkey", "length(pkey)")
            .with("observation_id", ForeignFile.ID.replace("pkey", "length(pkey)"))
            .file();
    assertThat(decodedAgain(PlainFile.of(integers, "f"))).isEqualTo(integers.bytes());
    ObservationFile deletions =
        ForeignFile.ofDeletions(
                "('user.age', 'ann', 0::BIGINT, TIMESTAMPTZ '2026-01-02 03:04:05+00', 'op-1')")
            .file();
    assertThat(decodedAgain(PlainFile.of(deletions, "f"))).isEqualTo(deletions.bytes());
  }

  @Test
  public void anotherToolFindsTextsSnappyAndTheSameOrder() throws Exception {
    Path path = folder.newFile().toPath();
    Files.write(path, PlainFile.of(file(JSON, values().get(JSON)).file(), "a/b.parquet"));

    assertThat(rows("SELECT DISTINCT compression FROM parquet_metadata('" + path + "')"))
        .containsExactly("SNAPPY");
    assertThat(
            rows(
                "SELECT name || ' ' || type || ' ' || coalesce(converted_type, '') FROM"
                    + " parquet_schema('"
                    + path
                    + "') WHERE type IS NOT NULL"))
        .containsExactly(
            "namespace BYTE_ARRAY UTF8",
            "feature BYTE_ARRAY UTF8",
            "observation_id BYTE_ARRAY UTF8",
            "pkey BYTE_ARRAY UTF8",
            "value BYTE_ARRAY UTF8",
            "observed_at INT64 TIMESTAMP_MICROS",
            "resolver_fqn BYTE_ARRAY UTF8",
            "deployment_id BYTE_ARRAY UTF8",
            "operation_id BYTE_ARRAY UTF8",
            "deleted BOOLEAN ",
            "staged_file BYTE_ARRAY UTF8",
            "staged_row INT64 ")
        .inOrder();
    assertThat(
            rows(
                "SELECT feature || pkey || (observation_id = "
                    + ForeignFile.ID
                    + "::VARCHAR) || staged_file || staged_row FROM read_parquet('"
                    + path
                    + "')"))
        .containsExactly(
            "user.abobtruea/b.parquet0",
            "user.aanntruea/b.parquet1",
            "user.aanntruea/b.parquet2",
            "user.bevetruea/b.parquet3")
        .inOrder();
  }

  @Test
  public void aPlainFileOfQueriesIsThatOfTheLog() throws Exception {
    ObservationFile queries = FileDecoder.decode(BundleEncoder.message(queries()));

    byte[] plain = PlainFile.of(queries, "q.parquet");

    assertThat(decodedAgain(plain)).isEqualTo(queries.bytes());
    Path path = folder.newFile().toPath();
    Files.write(path, plain);
    assertThat(
            rows(
                "SELECT operation_id || value_tables::VARCHAR || staged_file || staged_row FROM"
                    + " read_parquet('"
                    + path
                    + "') ORDER BY 1"))
        .containsExactly("op-1[a__b, c__d]q.parquet0", "op-2[a__b, c__d]q.parquet1");
  }

  private static byte[] queries() throws Exception {
    ForeignFile any = file(ValueType.INT64, "1::BIGINT");
    Map<String, String> columns = new LinkedHashMap<>();
    QueryLog.CURRENT
        .columns()
        .forEach(
            column ->
                columns.put(
                    column.name(),
                    switch (column.type()) {
                      case TIMESTAMP -> "observed_at";
                      case TEXTS -> "['a__b', 'c__d']";
                      case TEXT ->
                          switch (column.name()) {
                            case "operation_id" -> "operation_id";
                            case "environment_id" -> "'production'";
                            case "operation_kind" -> "'ONLINE_QUERY'";
                            case "query_status" -> "'SUCCEEDED'";
                            default -> "NULL::VARCHAR";
                          };
                    }));
    return new ForeignFile(
            columns,
            "(SELECT DISTINCT operation_id, observed_at FROM " + any.rows() + " ORDER BY 1)",
            any.footer())
        .withText("tailrace.kind", "query_log")
        .withoutText("tailrace.value_type")
        .bytes();
  }

  private static List<String> rows(String sql) throws Exception {
    List<String> rows = new ArrayList<>();
    try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = duckDb.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      while (found.next()) {
        rows.add(found.getString(1));
      }
    }
    return rows;
  }
}
