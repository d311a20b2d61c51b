package io.tailrace.offline.databricks;

import io.tailrace.offline.OfflineStores;
import io.tailrace.testing.fakes.FakeDatabricks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;

/** A simulated Databricks, for the tests of a class. */
final class DatabricksFixture extends ExternalResource {
  private final TemporaryFolder folder = new TemporaryFolder();
  private FakeDatabricks databricks;
  private Path token;

  @Override
  protected void before() throws Throwable {
    folder.create();
    databricks = FakeDatabricks.start(folder.newFolder().toPath());
    token = folder.newFile().toPath();
    Files.writeString(token, FakeDatabricks.TOKEN);
  }

  @Override
  protected void after() {
    try {
      databricks.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    folder.delete();
  }

  FakeDatabricks server() {
    return databricks;
  }

  String uri() {
    return "databricks://fake/sql/1.0/warehouses/w1?catalog=features&schema={environment}"
        + "&endpoint="
        + databricks.endpoint()
        + "&token=file:"
        + token
        + "&stage=/Volumes/features/stage/files&retryFor=1s&connectTimeout=2s&timeout=20s";
  }

  DatabricksOfflineStore store() {
    return (DatabricksOfflineStore) OfflineStores.at(uri());
  }

  /** Forgets all that was stored and staged. */
  void clear(String... schemas) throws SQLException {
    for (String schema : schemas) {
      databricks.execute("DROP SCHEMA IF EXISTS features." + schema + " CASCADE");
    }
    databricks.clearFiles();
    databricks.forgetFaults();
  }
}
