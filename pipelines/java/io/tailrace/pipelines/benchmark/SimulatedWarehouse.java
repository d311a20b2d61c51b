package io.tailrace.pipelines.benchmark;

import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.staging.StagedStore;
import io.tailrace.pipelines.local.servers.snowflake.FakeSnowflake;
import io.tailrace.pipelines.local.servers.snowflake.Logins;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A warehouse on this machine that is simulated, so that it can be counted what is said to it. What
 * it takes to answer is no measure of the one that it stands for.
 */
interface SimulatedWarehouse extends AutoCloseable {
  /** Returns the store whose driver talks to it. */
  StagedStore store();

  /** Returns how many statements were sent since this was asked before. */
  long takeStatements();

  /** Returns how long it took to answer, over all requests. */
  Duration busy();

  @Override
  void close();

  /**
   * Starts a simulated Snowflake.
   *
   * @param directory for staged files
   */
  static SimulatedWarehouse snowflake(Path directory) throws IOException {
    Path stages = Files.createDirectories(directory.resolve("stages"));
    Path password = Files.writeString(directory.resolve("password"), Logins.PASSWORD);
    FakeSnowflake snowflake = FakeSnowflake.start(stages);
    String uri =
        "snowflake://fake/features/{environment}?user=writer&warehouse=loading&password=file:"
            + password
            + "&endpoint="
            + snowflake.endpoint();
    return new SimulatedWarehouse() {
      @Override
      public StagedStore store() {
        return (StagedStore) OfflineStores.at(uri);
      }

      @Override
      public long takeStatements() {
        long statements = snowflake.statements().size();
        snowflake.clearStatements();
        return statements;
      }

      @Override
      public Duration busy() {
        return snowflake.busy();
      }

      @Override
      public void close() {
        snowflake.close();
      }
    };
  }
}
