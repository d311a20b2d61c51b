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
      assertThat(decodedAgain(PlainFile.of(canonical))).isEqualTo(canonical.bytes());
    }
    ObservationFile integers =
        file(ValueType.INT64, "7::BIGINT")
            .with("pkey", "length(pkey)")
            .with("observation_id", ForeignFile.ID.replace("pkey", "length(pkey)"))
            .file();
    assertThat(decodedAgain(PlainFile.of(integers))).isEqualTo(integers.bytes());
    ObservationFile deletions =
        ForeignFile.ofDeletions(
                "('user.age', 'ann', 0::BIGINT, TIMESTAMPTZ '2026-01-02 03:04:05+00', 'op-1')")
            .file();
    assertThat(decodedAgain(PlainFile.of(deletions))).isEqualTo(deletions.bytes());
  }

  @Test
  public void anotherToolFindsTextsSnappyAndTheSameOrder() throws Exception {
    Path path = folder.newFile().toPath();
    Files.write(path, PlainFile.of(file(JSON, values().get(JSON)).file()));

    assertThat(rows("SELECT DISTINCT compression FROM parquet_metadata('" + path + "')"))
        .containsExactly("SNAPPY");
    assertThat(
            rows(
                "SELECT name || ' ' || type || ' ' || coalesce(converted_type, '') FROM"
                    + " parquet_schema('"
                    + path
                    + "') WHERE type IS NOT NULL"))
        .containsExactly(
            "feature BYTE_ARRAY UTF8",
            "namespace BYTE_ARRAY UTF8",
            "observation_id BYTE_ARRAY UTF8",
            "pkey BYTE_ARRAY UTF8",
            "value BYTE_ARRAY UTF8",
            "observed_at INT64 TIMESTAMP_MICROS",
            "resolver_fqn BYTE_ARRAY UTF8",
            "deployment_id BYTE_ARRAY UTF8",
            "operation_id BYTE_ARRAY UTF8",
            "deleted BOOLEAN ")
        .inOrder();
    assertThat(
            rows(
                "SELECT feature || pkey || (observation_id = "
                    + ForeignFile.ID
                    + "::VARCHAR) FROM read_parquet('"
                    + path
                    + "')"))
        .containsExactly("user.aanntrue", "user.aanntrue", "user.abobtrue", "user.bevetrue");
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
