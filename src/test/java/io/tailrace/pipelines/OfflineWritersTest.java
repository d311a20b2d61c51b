package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.pipelines.OfflineServers.Store;
import io.tailrace.pipelines.local.servers.FlinkCluster;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.testing.Balance;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.PipelineResult;
import org.apache.flink.api.common.JobID;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;

/** Both writers of the offline path, from a real Kafka to a real DuckDB and a real PostgreSQL. */
@RunWith(Parameterized.class)
public class OfflineWritersTest {
  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static LocalFlink flink;

  @Parameter public Store kind = Store.DUCKDB;

  private OfflineServers servers;

  @Parameters(name = "{0}")
  public static Store[] stores() {
    return Store.values();
  }

  @BeforeClass
  public static void startFlink() throws IOException {
    flink = LocalFlink.in(folder.newFolder().toPath()).slots(8).start();
  }

  @AfterClass
  public static void stopFlink() {
    flink.close();
  }

  @Before
  public void startServers() throws IOException {
    servers = new OfflineServers(folder.newFolder().toPath(), kind);
  }

  @After
  public void stopServers() {
    try {
      if (flink.jobs().stream().anyMatch(job -> !job.status().isGloballyTerminalState())) {
        Balance.assertEven(flink);
      }
    } finally {
      flink.cancelAll();
      servers.close();
    }
  }

  @Test
  public void onTheDirectRunnerResultsBecomeRows() throws Exception {
    List<PipelineResult> writers = new ArrayList<>();
    try {
      String[] runner = {"--runner=DirectRunner", "--blockOnRun=false"};
      writers.add(
          OfflineWriter.WRITER.start(with("--gathering=300ms", servers.offlineWriter("", runner))));
      writers.add(StreamingInsertWriter.WRITER.start(servers.insertWriter("", runner)));
      servers.publish(0, 40, 2);

      for (String table : List.of("user__f0", "user__f1", "query_log")) {
        OfflineServers.await(
            table,
            () -> {
              for (PipelineResult writer : writers) {
                // Throws why it failed, if it has.
                PipelineResult.State unused =
                    writer.waitUntilFinish(org.joda.time.Duration.millis(1));
              }
              return servers.has(table, 40);
            });
      }
      writers.forEach(Balance::assertEven);
    } finally {
      for (PipelineResult writer : writers) {
        writer.cancel();
      }
    }
  }

  @Test
  public void replayingBothTopicsTwiceChangesNoRow() throws Exception {
    startOnFlink("");
    servers.publish(0, 500, 3);
    servers.awaitRows("user__f2", 500);
    servers.awaitRows("query_log", 500);
    String[] tables = {"user__f0", "user__f1", "user__f2", "query_log"};
    String before = servers.contents(tables);

    for (String group : List.of("second", "third")) {
      List<JobID> jobs = startOnFlink("?group=" + group);
      servers.awaitCommitted(group + "-results", 500);
      servers.awaitCommitted(group + "-files", servers.filesPublished());
      jobs.forEach(flink::cancel);
    }

    assertThat(servers.contents(tables)).isEqualTo(before);
    assertThat(servers.filesPublished()).isAtLeast(6);
  }

  @Test
  public void twoWritersOfEachKindThatMeet200UnseenFeaturesLoseNothing() throws Exception {
    // Of the same topics, each with a group of its own: both see every feature at once.
    for (int i = 0; i < 10; i++) {
      servers.publish(i, 1, 200);
    }

    startOnFlink("?group=one");
    startOnFlink("?group=two");
    servers.awaitCommitted("one-results", 10);
    servers.awaitCommitted("two-results", 10);
    servers.awaitCommitted("one-files", servers.filesPublished());
    servers.awaitCommitted("two-files", servers.filesPublished());

    assertThat(servers.leastAndMost(200)).containsExactly(10L, 10L);
    assertWithMessage("query_log").that(servers.count("query_log")).isEqualTo(10);
  }

  private List<JobID> startOnFlink(String group) throws CommandException {
    List<JobID> before = flink.jobs().stream().map(FlinkCluster.Job::id).toList();
    List<String> runner = new ArrayList<>(flink.pipelineArguments());
    runner.addAll(List.of("--parallelism=2", "--checkpointingInterval=500"));
    String[] arguments = runner.toArray(String[]::new);
    OfflineWriter.WRITER.start(
        servers.offlineWriter(group.isEmpty() ? "" : group + "-results", arguments));
    StreamingInsertWriter.WRITER.start(
        servers.insertWriter(group.isEmpty() ? "" : group + "-files", arguments));
    return flink.jobs().stream()
        .map(FlinkCluster.Job::id)
        .filter(job -> !before.contains(job))
        .toList();
  }

  private static String[] with(String argument, String... others) {
    List<String> all = new ArrayList<>(List.of(others));
    all.add(argument);
    return all.toArray(String[]::new);
  }
}
