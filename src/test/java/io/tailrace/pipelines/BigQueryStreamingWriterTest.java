package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bigquery.BigQueryOfflineStore;
import io.tailrace.pipelines.local.servers.FlinkCluster;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.testing.AddedKinds;
import io.tailrace.testing.Balance;
import io.tailrace.testing.fakes.FakeBigQuery;
import io.tailrace.testing.fakes.FakeBigQueryKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.beam.sdk.PipelineResult;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Results on their way to BigQuery: both writers, Kafka between them, BigQuery simulated. */
@RunWith(JUnit4.class)
public class BigQueryStreamingWriterTest {
  private static final String ROWS = "user__f1__rows";

  @Rule public final AddedKinds kinds = AddedKinds.of(FakeBigQueryKind.class);
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private OfflineServers servers;
  private FakeBigQuery bigQuery;
  private String store;

  @Before
  public void startServers() throws IOException {
    servers = new OfflineServers(folder.newFolder().toPath(), OfflineServers.Store.DUCKDB);
    bigQuery = FakeBigQuery.start();
    store = bigQuery.uri("{environment}", "&latest=true&retryFor=10s");
  }

  @After
  public void stopServers() {
    servers.close();
    bigQuery.close();
  }

  private String[] in(String[] arguments) {
    return Arrays.stream(arguments)
        .map(
            argument ->
                argument.startsWith("--offlineStore=")
                    ? "--offlineStore=" + FakeBigQueryKind.uri(store)
                    : argument)
        .toArray(String[]::new);
  }

  @Test
  public void onTheDirectRunnerResultsBecomeRowsAndTheRefusedALetterThatIsSentBack()
      throws Exception {
    // As if somebody had added a column that must not be null.
    bigQuery
        .storageWrite()
        .refuse(
            ROWS,
            row ->
                row.get("pkey").equals("u7")
                    ? Optional.of("the field reviewed_by is required")
                    : Optional.empty());
    List<PipelineResult> writers = new ArrayList<>();
    try {
      String[] runner = {"--runner=DirectRunner", "--blockOnRun=false"};
      writers.add(OfflineWriter.WRITER.start(in(servers.offlineWriter("", runner))));
      writers.add(BigQueryStreamingWriter.WRITER.start(in(servers.insertWriter("", runner))));
      servers.publish(0, 20, 2);

      awaitRows("user__f0", 20);
      awaitRows("user__f1", 19);
      awaitRows("query_log", 20);
      OfflineServers.await("the letter", () -> servers.published("letters", 1) == 1);
      writers.forEach(Balance::assertEven);

      // The column is gone, and the letter is sent back.
      bigQuery.storageWrite().refuse(ROWS, row -> Optional.empty());
      String letters = "--deadLetterBus=" + servers.bus("letters");
      assertThat(Tailrace.run(Writers.ALL, "dead-letters", "replay", letters, "--yes"))
          .isEqualTo(0);
      awaitRows("user__f1", 20);
      awaitRows("user__f0", 20);
    } finally {
      for (PipelineResult writer : writers) {
        writer.cancel();
      }
    }
  }

  @Test
  public void onFlinkRowsAreThereOnceThroughThrottlingLostAnswersCrashesAndAReplay()
      throws Exception {
    bigQuery.throttle(3);
    bigQuery.storageWrite().seeLate(2);
    bigQuery.storageWrite().throttle(1);
    bigQuery.storageWrite().loseAnswers(1);
    bigQuery.storageWrite().crash(1);
    try (LocalFlink flink = LocalFlink.in(folder.newFolder().toPath()).slots(8).start()) {
      List<String> more = new ArrayList<>(flink.pipelineArguments());
      more.addAll(List.of("--parallelism=2", "--checkpointingInterval=300"));
      String[] runner = more.toArray(String[]::new);
      OfflineWriter.WRITER.start(in(servers.offlineWriter("", runner)));
      BigQueryStreamingWriter.WRITER.start(in(servers.insertWriter("", runner)));
      servers.publish(0, 60, 2);

      for (String table : List.of("user__f0", "user__f1", "query_log")) {
        awaitRows(table, 60);
      }
      OfflineServers.await(
          "the latest",
          () ->
              count("latest_user") == 120
                  && servers.committed("bigquery-streaming-writer") >= servers.filesPublished());
      String before = contents();

      for (FlinkCluster.Job job : flink.jobs()) {
        flink.cancel(job.id());
      }
      BigQueryStreamingWriter.WRITER.start(in(servers.insertWriter("?group=again", runner)));
      servers.awaitCommitted("again", servers.filesPublished());

      assertThat(contents()).isEqualTo(before);
      assertThat(servers.published("letters", 1)).isEqualTo(0);
      // The replay alone has appended each once more.
      assertThat(count(ROWS)).isAtLeast(120);
      Balance.assertEven(flink);
    }
  }

  private void awaitRows(String table, long expected) throws Exception {
    OfflineServers.await(
        table,
        () -> {
          long found = count(table);
          assertThat(found).isAtMost(expected);
          return found == expected;
        });
  }

  private long count(String table) throws UnavailableException {
    if (!bigQuery.tables().names("production").contains(table)) {
      return -1;
    }
    return Long.parseLong(rows("SELECT count(*) FROM production." + table).get(0).get(0));
  }

  private String contents() throws UnavailableException {
    StringBuilder all = new StringBuilder();
    for (String table : List.of("user__f0", "user__f1", "latest_user", "query_log")) {
      all.append(rows("SELECT * FROM production." + table + " ORDER BY ALL"));
    }
    return all.toString();
  }

  private List<List<String>> rows(String sql) throws UnavailableException {
    return BigQueryOfflineStore.at(EndpointUri.parse(store)).reader().query(sql, 1_000).rows();
  }
}
