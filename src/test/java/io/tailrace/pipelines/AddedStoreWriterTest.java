package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.offline.OfflineStores;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.pipelines.local.servers.FlinkCluster;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.shelf.ShelfStore;
import io.tailrace.testing.AddedKinds;
import io.tailrace.testing.Balance;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.PipelineResult;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** A writer takes an offline store that somebody has added: files go through its stage. */
@RunWith(JUnit4.class)
public class AddedStoreWriterTest {
  @Rule public final AddedKinds kinds = AddedKinds.of(ShelfStore.Added.class);
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private OfflineServers servers;
  private String store;

  @Before
  public void startServers() throws IOException {
    servers = new OfflineServers(folder.newFolder().toPath(), OfflineServers.Store.DUCKDB);
    store = "shelf://" + folder.newFolder() + "?loadEvery=1s";
  }

  @After
  public void stopServers() {
    servers.close();
  }

  @Test
  public void onTheDirectRunnerFilesAreStagedAndLoaded() throws Exception {
    publish(0, 20);
    PipelineResult writer =
        StreamingInsertWriter.WRITER.start(
            arguments("--runner=DirectRunner", "--blockOnRun=false"));
    try {
      awaitRows(20);
      Balance.assertEven(writer);
    } finally {
      writer.cancel();
    }
  }

  @Test
  public void onFlinkFilesAreStagedAndLoadedOnceHoweverOftenTheWriterStarts() throws Exception {
    try (LocalFlink flink = LocalFlink.in(folder.newFolder().toPath()).slots(4).start()) {
      List<String> runner = new ArrayList<>(flink.pipelineArguments());
      runner.addAll(List.of("--parallelism=2", "--checkpointingInterval=300"));
      String[] arguments = arguments(runner.toArray(String[]::new));
      publish(0, 30);
      StreamingInsertWriter.WRITER.start(arguments);
      awaitRows(30);
      for (FlinkCluster.Job job : flink.jobs()) {
        flink.cancel(job.id());
      }
      List<List<String>> before = rows("SELECT * FROM production.user__f0");

      // Without its state, from where it had committed.
      publish(20, 30);
      StreamingInsertWriter.WRITER.start(arguments);
      awaitRows(50);

      assertThat(rows("SELECT * FROM production.user__f0")).containsAtLeastElementsIn(before);
      assertThat(rows("SELECT count(DISTINCT observation_id) FROM production.user__f0"))
          .containsExactly(List.of("50"));
    }
  }

  private String[] arguments(String... runner) {
    List<String> all = new ArrayList<>(List.of(runner));
    all.add("--streamingInsertBus=" + servers.bus("files"));
    all.add("--offlineStore=" + store);
    all.add("--deadLetterBus=" + servers.bus("letters"));
    return all.toArray(String[]::new);
  }

  private void publish(int first, int results) throws Exception {
    for (int i = first; i < first + results; i++) {
      QueryResult result =
          Results.of(Results.user("u" + i, Results.int64("f0", RandomResults.START + i, i)))
              .toBuilder()
              .setOperationId("op" + i)
              .build();
      for (ObservationFile file : BundleEncoder.files(result)) {
        servers.publishFile(file.bytes());
      }
    }
  }

  private void awaitRows(long expected) throws Exception {
    OfflineServers.await(
        expected + " rows",
        () -> {
          long found = count();
          assertThat(found).isAtMost(expected);
          return found == expected;
        });
  }

  private long count() throws UnavailableException {
    try {
      return Long.parseLong(rows("SELECT count(*) FROM production.user__f0").get(0).get(0));
    } catch (UnavailableException e) {
      if (String.valueOf(e.getMessage()).contains("does not exist")) {
        return -1;
      }
      throw e;
    }
  }

  private List<List<String>> rows(String sql) throws UnavailableException {
    return OfflineStores.at(store).reader().query(sql, 1_000).rows();
  }
}
