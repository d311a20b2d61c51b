package io.tailrace.offline.snowflake;

import io.tailrace.pipelines.local.servers.snowflake.FakeSnowflake;
import io.tailrace.pipelines.local.servers.snowflake.Logins;
import io.tailrace.testing.WarehouseFixture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
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

  /** Forgets all that was stored, staged and said. */
  void clear(String... schemas) throws SQLException, IOException {
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
  public boolean isHarmless() {
    return snowflake.faults().areMet();
  }

  @Override
  public void endSessions() {
    snowflake.endSessions();
  }
}
