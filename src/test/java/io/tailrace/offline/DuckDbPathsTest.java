package io.tailrace.offline;

import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ValueType;
import io.tailrace.testing.OfflineConnections;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That nothing of the directory, in which files lie while DuckDB reads them, is data. */
public class DuckDbPathsTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void whatATemporaryDirectoryIsCalledIsNoValue() throws Exception {
    Path file = folder.newFile("file.parquet").toPath();
    Files.write(
        file,
        ForeignFile.of(
                ValueType.INT64,
                "('user.age', 'ann', 42::BIGINT, TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')")
            .bytes());
    for (String name : List.of("value=7/observed_at=2020-01-01", "a[1]*/it's ?")) {
      Path directory = Files.createDirectories(folder.getRoot().toPath().resolve(name));
      Path database = folder.getRoot().toPath().resolve("db-" + name.hashCode() + ".db");

      insert(directory, file, database);

      try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:" + database);
          Statement statement = duckDb.createStatement();
          ResultSet rows =
              statement.executeQuery(
                  "SELECT pkey, value, year(observed_at) FROM tailrace.user__age")) {
        assertWithMessage(name).that(rows.next()).isTrue();
        assertWithMessage(name)
            .that(rows.getString(1) + " " + rows.getLong(2) + " " + rows.getLong(3))
            .isEqualTo("ann 42 2026");
      }
    }
  }

  /** In a JVM of its own: which directory is the temporary one is known once. */
  private void insert(Path directory, Path file, Path database) throws Exception {
    File output = folder.newFile();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                // It lives for seconds: the optimizing compiler would take more than it gives.
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Djava.io.tmpdir=" + directory,
                "-cp",
                System.getProperty("java.class.path"),
                Inserter.class.getName(),
                file.toString(),
                "duckdb://" + database)
            .redirectErrorStream(true)
            .redirectOutput(output)
            .start();
    assertWithMessage("%s", Files.readString(output.toPath())).that(process.waitFor()).isEqualTo(0);
  }

  /** Inserts a file into a store. */
  static final class Inserter {
    private Inserter() {}

    public static void main(String[] args) throws Exception {
      ObservationFile file =
          FileDecoder.decode(BundleEncoder.message(Files.readAllBytes(Path.of(args[0]))));
      try (BatchConnection connection = OfflineConnections.to(OfflineStores.at(args[1]))) {
        Batches.insert(connection, List.of(file));
      }
    }
  }
}
