package io.tailrace.offline.snowflake;

import io.tailrace.pipelines.local.servers.snowflake.FakeSnowflake;
import io.tailrace.pipelines.local.servers.snowflake.Logins;
import io.tailrace.testing.WarehouseFixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.apache.commons.io.FileUtils;
import org.junit.rules.TemporaryFolder;

/** A simulated Snowflake. */
public final class SnowflakeFixture extends WarehouseFixture {
  private final TemporaryFolder folder = new TemporaryFolder();
  private FakeSnowflake snowflake;
  private Path stages;
  private Path password;

  @Override
  protected void before() throws Throwable {
    folder.create();
    stages = folder.newFolder().toPath();
    snowflake = FakeSnowflake.start(stages);
    password = folder.newFile().toPath();
    Files.writeString(password, Logins.PASSWORD);
  }

  @Override
  protected void after() {
    snowflake.close();
    folder.delete();
  }

  FakeSnowflake server() {
    return snowflake;
  }

  Path password() {
    return password;
  }

  @Override
  public void clear(String... schemas) throws SQLException, IOException {
    snowflake.endSessions();
    for (String schema : schemas) {
      snowflake.execute("DROP SCHEMA IF EXISTS " + schema + " CASCADE");
    }
    FileUtils.cleanDirectory(stages.toFile());
    snowflake.faults().clear();
    snowflake.clearStatements();
  }

  @Override
  public String uri() {
    return "snowflake://fake/features/{environment}?user=writer&warehouse=loading&password=file:"
        + password
        + "&endpoint="
        + snowflake.endpoint()
        + "&retryFor=1s&connectTimeout=2s&timeout=10s";
  }

  @Override
  public void throttle() {
    snowflake.faults().throttle(2, 429);
  }

  @Override
  public void breakLoads() {
    snowflake.faults().cutBefore("MERGE INTO");
    snowflake.faults().cutBehind("COMMIT");
  }

  @Override
  public void cutBefore(String text) {
    snowflake.faults().cutBefore(text);
  }

  @Override
  public void cutBehind(String text) {
    snowflake.faults().cutBehind(text);
  }

  @Override
  public void execute(String statement) throws SQLException {
    snowflake.execute(statement);
  }

  @Override
  public List<String> statementsSent() {
    List<String> sent = snowflake.statements();
    snowflake.clearStatements();
    return sent;
  }

  @Override
  public boolean isHarmless() {
    return snowflake.faults().areMet();
  }

  @Override
  public void endSessions() {
    snowflake.endSessions();
  }
}
