package io.tailrace.testing.fakes;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.PlainFile;
import io.tailrace.result.ValueType;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
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

/** What the simulated Databricks takes and refuses. */
@RunWith(JUnit4.class)
public class FakeDatabricksTest {
  @ClassRule public static final TemporaryFolder FOLDER = new TemporaryFolder();

  private static Connection connect(FakeDatabricks databricks, String login) throws SQLException {
    Connection connection =
        new com.databricks.client.jdbc.Driver()
            .connect(
                "jdbc:databricks://127.0.0.1:"
                    + databricks.port()
                    + ";transportMode=http;ssl=0;"
                    + login
                    + ";httpPath=/sql/1.0/warehouses/w1;useThriftClient=0;"
                    + "EnableQueryResultDownload=0;EnableTelemetry=0",
                new Properties());
    assertThat(connection).isNotNull();
    return connection;
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

  private static int put(FakeDatabricks databricks, String path, byte[] bytes) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create(databricks.endpoint() + "/api/2.0/fs/files" + path))
                .header("Authorization", "Bearer " + FakeDatabricks.TOKEN)
                .PUT(HttpRequest.BodyPublishers.ofByteArray(bytes))
                .build(),
            HttpResponse.BodyHandlers.discarding())
        .statusCode();
  }

  @Test
  public void itSpeaksWithDatabricksDriverAndCopiesEachNameOnce() throws Exception {
    ObservationFile file =
        ForeignFile.of(
                ValueType.VECTOR,
                "('user.v', 'ann', [1.5, -0.25]::FLOAT[],"
                    + " TIMESTAMPTZ '2026-01-02 03:04:05.678901+00', 'op-1')",
                "('user.v', 'it''s', NULL, TIMESTAMPTZ '1969-12-31 23:59:59.999999+00', 'op-1')")
            .with("observation_id", "NULL::UUID")
            .file();
    try (FakeDatabricks databricks = FakeDatabricks.start(FOLDER.newFolder().toPath());
        Connection connection =
            connect(databricks, "AuthMech=3;UID=token;PWD=" + FakeDatabricks.TOKEN);
        Statement statement = connection.createStatement()) {
      assertThat(put(databricks, "/Volumes/features/s/v/a/f.parquet", PlainFile.of(file, "f")))
          .isEqualTo(204);
      assertThat(put(databricks, "/Volumes/features/s/v/a/canonical.parquet", file.bytes()))
          .isEqualTo(204);
      statement.execute("CREATE SCHEMA IF NOT EXISTS `features`.`production`");
      statement.execute(
          "CREATE TABLE `features`.`production`.`staged` (namespace STRING, feature STRING,"
              + " observation_id STRING, pkey STRING, value ARRAY<FLOAT>, observed_at TIMESTAMP,"
              + " resolver_fqn STRING, deployment_id STRING, operation_id STRING, deleted BOOLEAN,"
              + " staged_file STRING, staged_row BIGINT) USING DELTA CLUSTER BY (feature)"
              + " TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')");
      String copy =
          "COPY INTO `features`.`production`.`staged` FROM '/Volumes/features/s/v' FILEFORMAT ="
              + " PARQUET FILES = ('a/f.parquet') FORMAT_OPTIONS ('datetimeRebaseMode' ="
              + " 'CORRECTED')";
      assertThat(statement.executeUpdate(copy)).isEqualTo(2);
      assertThat(statement.executeUpdate(copy)).isEqualTo(0);
      assertThat(statement.executeUpdate(copy + " COPY_OPTIONS ('force' = 'true')")).isEqualTo(2);
      assertThat(
              texts(
                  statement,
                  "SELECT DISTINCT pkey, value, observed_at, unix_micros(observed_at) FROM"
                      + " `features`.`production`.`staged` WHERE pkey <> 'it\\'s'"))
          .isEqualTo("ann [1.5,-0.25] 2026-01-02 03:04:05.678901 1767323045678901");
      for (String refused :
          new String[] {
            copy.replace("a/f.parquet", "a/canonical.parquet"),
            copy.replace("a/f.parquet", "a/none.parquet"),
            "UPDATE features.production.staged AS t SET pkey = s.pkey FROM other AS s",
            "CREATE TEMPORARY TABLE t (n BIGINT)",
            "BEGIN",
            "CREATE TABLE features.production.t (n VARCHAR)",
            "CREATE TABLE features.production.staged (n STRING)"
          }) {
        assertThrows(refused, SQLException.class, () -> statement.execute(refused));
      }
      statement.execute(
          "CREATE VIEW `features`.`production`.`v` COMMENT 'it\\'s \"mine\"' AS SELECT pkey FROM"
              + " `features`.`production`.`staged`");
      assertThat(
              texts(
                  statement,
                  "SELECT table_name, table_type, comment FROM `features`.information_schema.tables"
                      + " WHERE table_schema = 'production' ORDER BY 1"))
          .isEqualTo("staged MANAGED null v VIEW it's \"mine\"");
      assertThat(
              statement.executeUpdate(
                  "MERGE INTO features.production.staged AS t USING (SELECT 'new' AS pkey) AS s ON"
                      + " t.pkey = s.pkey WHEN NOT MATCHED THEN INSERT (pkey) VALUES (s.pkey)"))
          .isEqualTo(1);
    }
  }

  @Test
  public void aTokenOfAServicePrincipalIsTaken() throws Exception {
    try (FakeDatabricks databricks = FakeDatabricks.start(FOLDER.newFolder().toPath());
        Connection connection =
            connect(
                databricks, "AuthMech=11;Auth_Flow=0;Auth_AccessToken=" + FakeDatabricks.TOKEN);
        Statement statement = connection.createStatement()) {
      assertThat(texts(statement, "SELECT 1")).isEqualTo("1");
      databricks.endSessions();
      assertThrows(SQLException.class, () -> statement.execute("SELECT 1"));
    }
  }
}
