package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.pubsub.PubSubTopics;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.testing.Results;
import io.tailrace.testing.WriterJvm;
import io.tailrace.testing.fakes.FakePubSub;
import io.tailrace.v1.QueryResult;
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
    try (FakePubSub started = FakePubSub.start()) {
      server = started;
      PubSubTopics topics = PubSubTopics.at(server.host());
      String letters = "--deadLetterBus=" + topics.create("letters");
      String[] ofWriter = {
        "--runner=FlinkRunner",
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
      try (WriterJvm killed = WriterJvm.start(OfflineWriter.class, folder.newFile(), ofWriter)) {
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
      try (WriterJvm next = WriterJvm.start(OfflineWriter.class, folder.newFile(), ofWriter)) {
        awaitSettled("results", next);
      }
      assertThat(server.unacknowledged(PubSubTopics.subscription("files")))
          .isGreaterThan(published);

      String[] ofInserts = {
        "--runner=FlinkRunner",
        "--parallelism=1",
        "--checkpointingInterval=300",
        letters,
        "--streamingInsertBus=" + topics.uri("files"),
        "--offlineStore=" + store
      };
      try (WriterJvm inserts =
          WriterJvm.start(StreamingInsertWriter.class, folder.newFile(), ofInserts)) {
        awaitSettled("files", inserts);
      }
      assertThat(rows(store, "user__f0")).isEqualTo(results);
      assertThat(rows(store, "query_log")).isEqualTo(results);
      assertThat(server.unacknowledged(PubSubTopics.subscription("letters"))).isEqualTo(0);
    }
  }

  private void awaitSettled(String subscription, WriterJvm writer) throws Exception {
    OfflineServers.await(
        subscription,
        () -> {
          writer.checkAlive();
          return server.unacknowledged(PubSubTopics.subscription(subscription)) == 0;
        });
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
