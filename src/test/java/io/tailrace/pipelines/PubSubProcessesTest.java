package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.pubsub.PubSubTopics;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.testing.Results;
import io.tailrace.testing.WriterJvm;
import io.tailrace.testing.fakes.FakePubSub;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** A writer in a process of its own, over Pub/Sub, which is killed. */
@RunWith(JUnit4.class)
public class PubSubProcessesTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private FakePubSub server;

  @Test
  public void whatAKilledWriterHadPublishedAndNotAcknowledgedComesAgainAndIsStoredOnce()
      throws Exception {
    int results = 25;
    String store = "duckdb://" + folder.getRoot() + "/offline.db?schema={environment}";
    try (FakePubSub started = FakePubSub.start();
        LocalFlink flink = LocalFlink.in(folder.newFolder().toPath()).slots(1).start()) {
      server = started;
      PubSubTopics topics = PubSubTopics.at(server.host());
      String letters = "--deadLetterBus=" + topics.create("letters");
      String[] ofWriter = {
        "--parallelism=1",
        "--checkpointingInterval=300",
        letters,
        "--resultBus=" + topics.create("results"),
        "--streamingInsertBus=" + topics.create("files"),
        "--offlineStore=" + store
      };
      try (BusPublisher publisher = Buses.at(topics.uri("results")).publisher()) {
        for (QueryResult result : OfflineServers.results(0, results, 1)) {
          publisher.publish(OutgoingMessage.of(result.toByteArray()));
        }
        publisher.flush();
      }

      server.refuseToAcknowledge(true);
      try (WriterJvm killed =
          WriterJvm.start(
              OfflineWriter.class,
              folder.newFile(),
              with(List.of("--runner=FlinkRunner"), ofWriter))) {
        OfflineServers.await(
            "an acknowledgement",
            () -> {
              killed.checkAlive();
              return server.calls("acknowledge") > 0;
            });
        killed.kill();
      }
      int published = server.unacknowledged(PubSubTopics.subscription("files"));
      assertThat(published).isGreaterThan(0);
      assertThat(server.unacknowledged(PubSubTopics.subscription("results"))).isEqualTo(results);

      server.refuseToAcknowledge(false);
      server.expireLeases();
      OfflineWriter.WRITER.start(with(flink.pipelineArguments(), ofWriter));
      awaitSettled("results");
      flink.cancelAll();
      assertThat(server.unacknowledged(PubSubTopics.subscription("files")))
          .isGreaterThan(published);

      String[] ofInserts = {
        "--parallelism=1",
        "--checkpointingInterval=300",
        letters,
        "--streamingInsertBus=" + topics.uri("files"),
        "--offlineStore=" + store
      };
      StreamingInsertWriter.WRITER.start(with(flink.pipelineArguments(), ofInserts));
      awaitSettled("files");
      assertThat(rows(store, "user__f0")).isEqualTo(results);
      assertThat(rows(store, "query_log")).isEqualTo(results);
      assertThat(server.unacknowledged(PubSubTopics.subscription("letters"))).isEqualTo(0);
    }
  }

  private static String[] with(List<String> runner, String... arguments) {
    List<String> all = new ArrayList<>(runner);
    all.addAll(Arrays.asList(arguments));
    return all.toArray(String[]::new);
  }

  private void awaitSettled(String subscription) throws Exception {
    OfflineServers.await(
        subscription, () -> server.unacknowledged(PubSubTopics.subscription(subscription)) == 0);
  }

  private static long rows(String store, String table) throws UnavailableException {
    return Long.parseLong(
        OfflineStores.at(store)
            .reader()
            .query("SELECT count(*) FROM " + Results.ENVIRONMENT + "." + table, 1)
            .rows()
            .get(0)
            .get(0));
  }
}
