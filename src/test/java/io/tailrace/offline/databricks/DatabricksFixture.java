package io.tailrace.offline.databricks;

import io.tailrace.testing.WarehouseFixture;
import io.tailrace.testing.fakes.FakeDatabricks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.junit.rules.TemporaryFolder;

/** A simulated Databricks, for the tests of a class. */
public final class DatabricksFixture extends WarehouseFixture {
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

  @Override
  public String uri() {
    return "databricks://fake/sql/1.0/warehouses/w1?catalog=features&schema={environment}"
        + "&endpoint="
        + databricks.endpoint()
        + "&token=file:"
        + token
        + "&stage=/Volumes/features/stage/files&retryFor=1s&connectTimeout=2s&timeout=20s";
  }

  DatabricksOfflineStore store() {
    return (DatabricksOfflineStore) store("");
  }

  @Override
  public void throttle() {
    databricks.refuse("COPY INTO", 429, "RESOURCE_EXHAUSTED");
    databricks.refuse("MERGE INTO", 200, "DELTA_CONCURRENT_APPEND");
  }

  @Override
  public void breakLoads() {
    databricks.refuse("MERGE INTO", 502, "BAD_GATEWAY");
    databricks.loseAnswerTo("INSERT INTO");
  }

  @Override
  public void cutBefore(String text) {
    databricks.refuse(text, 502, "BAD_GATEWAY");
  }

  @Override
  public void cutBehind(String text) {
    databricks.loseAnswerTo(text);
  }

  @Override
  public void execute(String statement) throws SQLException {
    databricks.execute(statement);
  }

  @Override
  public boolean isHarmless() {
    return databricks.isHarmless();
  }

  @Override
  public void endSessions() throws SQLException {
    databricks.endSessions();
  }

  @Override
  public List<String> statementsSent() {
    return databricks.takeStatements();
  }

  @Override
  public void clear(String... schemas) throws SQLException {
    for (String schema : schemas) {
      databricks.execute("DROP SCHEMA IF EXISTS features." + schema + " CASCADE");
    }
    databricks.clearFiles();
    databricks.forgetFaults();
    List<String> unused = statementsSent();
  }
}
