package io.tailrace.testing.fakes;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.PlainFile;
import io.tailrace.result.ValueType;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What the simulated Redshift takes and refuses. */
@RunWith(JUnit4.class)
public class FakeRedshiftTest {
  @ClassRule public static final TemporaryFolder FOLDER = new TemporaryFolder();

  private static Connection connect(FakeRedshift redshift) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", "tailrace");
    properties.setProperty(
        "password", Files.readString(redshift.postgres().passwordFile()).strip());
    properties.setProperty("ssl", "false");
    return new com.amazon.redshift.Driver()
        .connect("jdbc:redshift://127.0.0.1:" + redshift.port() + "/postgres", properties);
  }

  private static String texts(Statement statement, String sql) throws SQLException {
    StringBuilder texts = new StringBuilder();
    try (ResultSet found = statement.executeQuery(sql)) {
      while (found.next()) {
        for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
          texts.append(found.getString(i)).append(' ');
        }
      }
    }
    return texts.toString().strip();
  }

  private static String manifest(int length) {
    return "{\"entries\": [{\"url\": \"s3://stage/f.parquet\", \"mandatory\": true, \"meta\":"
        + " {\"content_length\": "
        + length
        + "}}]}";
  }

  @Test
  public void itSpeaksWithRedshiftsDriverAndCopiesInTheSessionsTransaction() throws Exception {
    byte[] file =
        PlainFile.of(
            ForeignFile.of(
                    ValueType.VECTOR,
                    "('user.v', 'ann', [1.5, -0.25]::FLOAT[],"
                        + " TIMESTAMPTZ '2026-01-02 03:04:05.678901+00', 'op-1')",
                    "('user.v', 'a,\"b', NULL, TIMESTAMPTZ '1969-12-31 23:59:59.999999+00',"
                        + " 'op-1')")
                .with("observation_id", "NULL::UUID")
                .file(),
            "f.parquet");
    try (FakeS3 s3 = FakeS3.start("stage");
        FakeRedshift redshift = FakeRedshift.start(s3, FOLDER.newFolder().toPath());
        Connection connection = connect(redshift);
        Statement statement = connection.createStatement()) {
      s3.put("stage", "f.parquet", file);
      s3.put("stage", "m.manifest", manifest(file.length).getBytes(UTF_8));
      s3.put("stage", "bad.manifest", manifest(7).getBytes(UTF_8));
      String columns =
          "(namespace VARCHAR(100), feature VARCHAR(100), observation_id VARCHAR(36), pkey"
              + " VARCHAR(65535) ENCODE ZSTD, value SUPER, observed_at TIMESTAMP, resolver_fqn"
              + " VARCHAR(65535), deployment_id VARCHAR(65535), operation_id VARCHAR(65535),"
              + " deleted BOOLEAN, staged_file VARCHAR(1024), staged_row BIGINT)";
      statement.execute("CREATE TEMP TABLE staged " + columns);
      statement.execute("CREATE TABLE kept " + columns + " DISTSTYLE EVEN SORTKEY (feature)");
      String copy =
          "COPY staged FROM 's3://stage/%s' IAM_ROLE '"
              + FakeRedshift.ROLE
              + "' FORMAT AS PARQUET SERIALIZETOJSON MANIFEST";

      statement.execute("BEGIN");
      statement.execute(String.format(copy, "m.manifest"));
      assertThat(texts(statement, "SELECT pkey, value, observed_at, staged_row FROM staged"))
          .isEqualTo(
              "a,\"b null 1969-12-31 23:59:59.999999 0"
                  + " ann [1.5, -0.25] 2026-01-02 03:04:05.678901 1");
      statement.execute("ROLLBACK");
      assertThat(texts(statement, "SELECT COUNT(*) FROM staged")).isEqualTo("0");

      for (String refused :
          new String[] {
            String.format(copy, "bad.manifest"),
            String.format(copy, "none.manifest"),
            String.format(copy, "m.manifest").replace(" SERIALIZETOJSON", ""),
            String.format(copy, "m.manifest").replace("tailrace-copy", "other"),
            "INSERT INTO kept SELECT * FROM staged ON CONFLICT DO NOTHING",
            "ALTER TABLE kept ADD COLUMN IF NOT EXISTS x SUPER",
            "SELECT * FROM (VALUES (1), (2)) AS v(n)",
            "CREATE OR REPLACE TEMPORARY TABLE staged (n BIGINT)",
            "CREATE TABLE other (j JSONB)"
          }) {
        assertThrows(refused, SQLException.class, () -> statement.execute(refused));
      }
      statement.execute("ALTER TABLE staged ADD COLUMN one_more BIGINT");
      assertThrows(SQLException.class, () -> statement.execute(String.format(copy, "m.manifest")));
      assertThat(
              texts(
                  statement,
                  "SELECT DATEDIFF(us, TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '1969-12-31"
                      + " 23:59:59.999999'), GET_ARRAY_LENGTH(JSON_PARSE('[1, 2]')),"
                      + " 'a SUPER SYSDATE'"))
          .isEqualTo("-1 2 a SUPER SYSDATE");
    }
  }
}
