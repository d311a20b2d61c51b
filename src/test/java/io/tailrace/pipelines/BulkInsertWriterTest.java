package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.NotificationFormat;
import io.tailrace.offline.bulk.OfflineResults;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.pipelines.local.watch.KafkaLetters;
import io.tailrace.testing.AddedKinds;
import io.tailrace.testing.AgeResults;
import io.tailrace.testing.fakes.FakeBigQuery;
import io.tailrace.testing.fakes.FakeBigQueryKind;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.PipelineResult;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** From its options to the store, over a real Kafka, with files of this machine. */
public class BulkInsertWriterTest {
  private static final long T = 1_760_000_000_000_000L;

  @Rule public final AddedKinds kinds = AddedKinds.of(FakeBigQueryKind.class);
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private LocalKafka kafka;
  private String bus;
  private String bucket;
  private String store;

  @Before
  public void startServers() throws Exception {
    kafka = LocalKafka.start(folder.newFolder("kafka").toPath(), 0);
    kafka.createTopic("bulk-upload", 1, Map.of("message.timestamp.type", "LogAppendTime"));
    kafka.createTopic("letters", 1, Map.of());
    bus = "kafka://" + kafka.bootstrapServers() + "/";
    bucket = "file://" + folder.newFolder("results");
    store = "duckdb://" + folder.getRoot() + "/offline.db?schema={environment}";
  }

  @After
  public void stopServers() {
    kafka.close();
  }

  private String[] arguments() {
    return new String[] {
      "--runner=DirectRunner",
      "--blockOnRun=false",
      "--bulkUploadBus=" + bus + "bulk-upload",
      "--uploadBucket=" + bucket,
      "--offlineStore=" + store,
      "--deadLetterBus=" + bus + "letters"
    };
  }

  private BulkUpload write(String operation, int rows) throws Exception {
    Contents contents = AgeResults.of(operation);
    try (OfflineResults results = OfflineResults.of(contents).into(bucket + "/" + operation)) {
      for (long i = 0; i < rows; i++) {
        results.add(i, T + i, List.of(i));
      }
      return results.finish();
    }
  }

  @Test
  public void filesBecomeRowsAndBadMessagesLetters() throws Exception {
    PipelineResult writer = BulkInsertWriter.WRITER.start(arguments());
    try (BusPublisher publisher = Buses.at(bus + "bulk-upload").publisher()) {
      BulkUpload first = write("q1", 100);
      publisher.publish(OutgoingMessage.of(NotificationFormat.json(first).getBytes(UTF_8)));
      publisher.publish(OutgoingMessage.of("nonsense".getBytes(UTF_8)));
      publisher.publish(
          OutgoingMessage.of(
              NotificationFormat.json(
                      first.toBuilder().clearFiles().addFiles("file:///etc/a.parquet").build())
                  .getBytes(UTF_8)));
      publisher.publish(OutgoingMessage.of(write("q2", 50).toByteArray()));
      BulkUpload third = write("q3", 1);
      Files.delete(Path.of(third.getFiles(0).substring("file://".length())));
      publisher.publish(OutgoingMessage.of(third.toByteArray()));
      publisher.flush();
      assertThat(letters(3))
          .containsExactly(Reason.UNDECODABLE, Reason.INVALID_VALUE, Reason.MISSING_FILE);
      // Letters may be there before the rows of messages ahead of them.
      OfflineServers.await("rows", () -> rows().equals(List.of(List.of("150", "6175"))));
    } finally {
      writer.cancel();
    }
  }

  private List<List<String>> rows() throws UnavailableException {
    try {
      return OfflineStores.at(store)
          .reader()
          .query("SELECT count(*), sum(value) FROM prod.user__age", 1)
          .rows();
    } catch (UnavailableException e) {
      assertThat(e).hasMessageThat().contains("does not exist");
      return List.of();
    }
  }

  private List<Reason> letters(int count) throws Exception {
    List<Reason> letters = new ArrayList<>();
    Map<String, Object> settings =
        Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition("letters", 0)));
      OfflineServers.await(
          count + " letters",
          () -> {
            consumer
                .poll(Duration.ofMillis(100))
                .forEach(record -> letters.add(KafkaLetters.of(record).orElseThrow().reason()));
            return letters.size() >= count;
          });
    }
    return letters;
  }

  @Test
  public void rowsReachBigQueryByItsOwnSink() throws Exception {
    try (FakeBigQuery bigQuery = FakeBigQuery.start()) {
      store = FakeBigQueryKind.uri(bigQuery.uri("{environment}", "&retryFor=10s"));
      PipelineResult writer = BulkInsertWriter.WRITER.start(arguments());
      try (BusPublisher publisher = Buses.at(bus + "bulk-upload").publisher()) {
        byte[] message = write("q1", 30).toByteArray();
        publisher.publish(OutgoingMessage.of(message));
        // It is not known that they were loaded, and the view shows each once.
        publisher.publish(OutgoingMessage.of(message));
        publisher.flush();
        OfflineServers.await(
            "rows",
            () ->
                bigQuery.tables().names("prod").contains("user__age")
                    && OfflineStores.at(store)
                        .reader()
                        .query("SELECT count(*), sum(value) FROM prod.user__age", 1)
                        .rows()
                        .equals(List.of(List.of("30", "435"))));
      } finally {
        writer.cancel();
      }
    }
  }

  @Test
  public void aBucketThatIsNotThereIsSaidAtTheStart() {
    bucket = bucket + "/gone";

    CommandException e =
        assertThrows(CommandException.class, () -> BulkInsertWriter.WRITER.start(arguments()));

    assertThat(e)
        .hasMessageThat()
        .isEqualTo("--uploadBucket: " + bucket + " is no folder of this machine: create it");
  }
}
