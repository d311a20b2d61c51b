package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.pipelines.OfflineServers.Store;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.testing.Results;
import io.tailrace.testing.WriterJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.PipelineResult;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Writers of the offline path in processes of their own, which are killed, or race. */
public class OfflineProcessesTest {
  private static final String DIRECT = "--runner=DirectRunner";

  /** Commits what is durable at once, which the direct runner does not. */
  private static String[] flink(List<String> runner) {
    List<String> all = new ArrayList<>(runner);
    all.addAll(List.of("--parallelism=1", "--checkpointingInterval=300"));
    return all.toArray(String[]::new);
  }

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void whatAKilledWriterHadInsertedAndNotCommittedIsInsertedOnceByItsSuccessor()
      throws Exception {
    try (OfflineServers servers =
            new OfflineServers(folder.newFolder().toPath(), Store.POSTGRESQL);
        Connection blocker = servers.postgres().connect();
        Statement statement = blocker.createStatement()) {
      try (WriterJvm killed = insertWriter(servers, DIRECT)) {
        servers.publishFiles(OfflineServers.results(0, 10, 3));
        servers.awaitRows("user__f2", 10);
        // The next transaction gets to the second table and no further.
        blocker.setAutoCommit(false);
        statement.execute("LOCK TABLE " + Results.ENVIRONMENT + ".user__f1 IN SHARE MODE");
        servers.publishFiles(OfflineServers.results(10, 30, 3));
        OfflineServers.await("an insert that waits", () -> isSomebodyWaiting(statement));
        killed.kill();
      }
      assertThat(servers.count("user__f0")).isEqualTo(10);
      blocker.rollback();

      PipelineResult successor =
          StreamingInsertWriter.WRITER.start(
              servers.insertWriter("", DIRECT, "--blockOnRun=false"));
      try {
        for (String table : List.of("user__f0", "user__f1", "user__f2", "query_log")) {
          servers.awaitRows(table, 40);
        }
      } finally {
        successor.cancel();
      }
    }
  }

  private static boolean isSomebodyWaiting(Statement statement) throws SQLException {
    try (ResultSet waiting =
        statement.executeQuery(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'")) {
      waiting.next();
      return waiting.getLong(1) > 0;
    }
  }

  @Test
  public void aDuckDbFileWhoseWriterIsKilledGetsEachRowOnce() throws Exception {
    Path directory = folder.newFolder().toPath();
    Path log = directory.resolve("offline.db.wal");
    int features = 200;
    try (OfflineServers servers = new OfflineServers(directory, Store.DUCKDB)) {
      servers.publishFiles(OfflineServers.results(0, 40, features));
      // Tables are created, then filled a hundred at a time: both leave something in the log.
      long killAt = 1;
      for (int kill = 0; kill < 2; kill++) {
        try (WriterJvm killed = insertWriter(servers, flink(List.of("--runner=FlinkRunner")))) {
          long bytes = killAt;
          OfflineServers.await("a log of " + bytes, () -> size(log) >= bytes || isDone(servers));
          killAt = size(log) + 50_000;
          killed.kill();
        }
      }

      try (LocalFlink last = LocalFlink.in(directory.resolve("flink")).slots(1).start()) {
        StreamingInsertWriter.WRITER.start(
            servers.insertWriter("", flink(last.pipelineArguments())));
        servers.awaitCommitted(StreamingInsertWriter.WRITER.name(), servers.filesPublished());
      }
      assertThat(servers.leastAndMost(features)).containsExactly(40L, 40L);
      assertThat(servers.count("query_log")).isEqualTo(40);
    }
  }

  private static long size(Path file) throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }

  private static boolean isDone(OfflineServers servers) throws Exception {
    return servers.committed(StreamingInsertWriter.WRITER.name()) >= servers.filesPublished();
  }

  @Test
  public void writersInTwoProcessesThatMeet60UnseenFeaturesLoseNothing() throws Exception {
    int features = 60;
    try (OfflineServers servers =
        new OfflineServers(folder.newFolder().toPath(), Store.POSTGRESQL)) {
      for (int i = 0; i < 10; i++) {
        servers.publishFiles(OfflineServers.results(i, 1, features));
      }
      List<WriterJvm> writers = new ArrayList<>();
      try {
        for (String group : List.of("one", "two")) {
          writers.add(
              WriterJvm.start(
                  StreamingInsertWriter.class,
                  folder.newFile(),
                  servers.insertWriter("?group=" + group, DIRECT)));
        }
        OfflineServers.await(
            "all rows",
            () -> {
              for (WriterJvm writer : writers) {
                writer.checkAlive();
              }
              return servers.count("user__f59") == 10
                  && servers.leastAndMost(features).equals(List.of(10L, 10L))
                  && servers.count("query_log") == 10;
            });
      } finally {
        writers.forEach(WriterJvm::close);
      }
      assertThat(servers.leastAndMost(features)).containsExactly(10L, 10L);
      assertWithMessage("dead letters").that(servers.published("letters", 1)).isEqualTo(0);
    }
  }

  private WriterJvm insertWriter(OfflineServers servers, String... runner) throws IOException {
    return WriterJvm.start(
        StreamingInsertWriter.class, folder.newFile(), servers.insertWriter("", runner));
  }
}
