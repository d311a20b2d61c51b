package io.tailrace.pipelines.tools;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.NotificationFormat;
import io.tailrace.offline.bulk.OfflineResults;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.testing.AgeResults;
import io.tailrace.testing.Messages;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import picocli.CommandLine;

/** Publishes to a real Kafka; nobody loads. */
public class BulkLoadCommandTest {
  @ClassRule public static final TemporaryFolder SERVERS = new TemporaryFolder();

  private static LocalKafka kafka;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeClass
  public static void startKafka() throws Exception {
    kafka = LocalKafka.start(SERVERS.newFolder().toPath(), 0);
    kafka.createTopic("bulk-upload", 1, Map.of());
  }

  @AfterClass
  public static void stopKafka() {
    kafka.close();
  }

  private int run(String... arguments) {
    return run(new BulkLoadCommand(folder.getRoot().toPath().resolve("no-stack")), arguments);
  }

  private int run(Object command, String... arguments) {
    CommandLine line = new CommandLine(command);
    line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    line.setExecutionExceptionHandler(
        (e, failed, parsed) -> {
          if (e instanceof CommandException) {
            failed.getErr().println(e.getMessage());
            return 1;
          }
          throw e;
        });
    return line.execute(arguments);
  }

  private Path file() throws Exception {
    Contents contents = AgeResults.of("q1");
    try (OfflineResults results =
        OfflineResults.of(contents).into("file://" + folder.newFolder())) {
      results.add("a", 1, List.of(1L));
      return Path.of(results.finish().getFiles(0).substring("file://".length()));
    }
  }

  private String[] to(Path bucket, String... more) {
    List<String> all = new ArrayList<>(List.of(more));
    all.add("--bulkUploadBus=kafka://" + kafka.bootstrapServers() + "/bulk-upload");
    all.add("--uploadBucket=file://" + bucket);
    return all.toArray(String[]::new);
  }

  @Test
  public void filesAreCopiedAndNamedOnTheBus() throws Exception {
    Path bucket = folder.newFolder("bucket").toPath();

    int code = run(to(bucket, file().toString()));

    assertThat(err.toString()).isEmpty();
    assertThat(code).isEqualTo(0);
    assertThat(out.toString()).contains("1 rows, 1 features");
    assertThat(out.toString()).contains("Copied 1 of 1");
    assertThat(out.toString()).contains("Published 1 of 1 files");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition("bulk-upload", 0)));
      // Others publish there, too.
      String prefix = "file://" + bucket + "/bulk-load-";
      List<String> copies = new ArrayList<>();
      while (copies.isEmpty()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(50))) {
          NotificationFormat.decode(Messages.of(record.value(), 1)).files().stream()
              .filter(file -> file.startsWith(prefix))
              .forEach(copies::add);
        }
      }
      String copy = copies.get(0);
      assertThat(Files.exists(Path.of(copy.substring("file://".length())))).isTrue();
    }
  }

  @Test
  public void resultsOfOfflineQueriesAreWrittenAsFilesAndPublished() throws Exception {
    Path bucket = folder.newFolder("bucket").toPath();
    Path lines = folder.newFile("results.jsonl").toPath();
    Files.writeString(
        lines,
        "{\"operationId\":\"q9\",\"environmentId\":\"prod\",\"frames\":[{\"namespace\":\"user\",\"int64Keys\":[42,43],\"columns\":[{\"feature\":\"user.age\",\"type\":\"INT64\",\"observedAt\":[5],\"int64Values\":[35,36]},{\"feature\":\"user.vec\",\"type\":\"VECTOR\",\"observedAt\":[5,5],\"vectorDimension\":1,\"vectorValues\":[1,2],\"nulls\":\"Ag==\"},{\"feature\":\"user.late\",\"type\":\"STRING\",\"observedAt\":[6],\"stringValues\":[\"a\",\"b\"]}]}]}\n");
    OfflineResultsCommand command =
        new OfflineResultsCommand(folder.getRoot().toPath().resolve("no-stack"));

    int code = run(command, to(bucket, lines.toString()));

    assertThat(err.toString()).isEmpty();
    assertThat(code).isEqualTo(0);
    // Features that were observed at one time are in one file.
    assertThat(out.toString()).contains("q9: 2 rows of 2 features in file://" + bucket);
    assertThat(out.toString()).contains("q9: 2 rows of 1 features in file://" + bucket);

    Files.writeString(
        lines, "{\"operationId\":\"q9\",\"environmentId\":\"prod\",\"deletions\":[{}]}");
    err.getBuffer().setLength(0);
    assertThat(run(command, to(bucket, lines.toString()))).isEqualTo(1);
    assertThat(err.toString()).contains("line 1: files hold no deletions");
  }

  @Test
  public void eachMisuseHasItsSentence() throws Exception {
    Path bucket = folder.newFolder("bucket").toPath();
    Path good = file();
    Path cut = folder.newFile("cut.parquet").toPath();
    byte[] whole = Files.readAllBytes(good);
    Files.write(cut, Arrays.copyOf(whole, whole.length - 3));
    Path mapping = folder.newFile("mapping.json").toPath();
    Files.write(mapping, "{\"operationId\":\"q\"}".getBytes(UTF_8));

    says(1, "There is no file /gone.parquet", to(bucket, "/gone.parquet"));
    says(1, "cut off", to(bucket, cut.toString()));
    says(1, "environment_id is missing", to(bucket, good.toString(), "--mapping=" + mapping));
    says(1, "No 'local' runs on this machine", good.toString());
    says(2, "give both, or neither", good.toString(), "--uploadBucket=file://" + bucket);
    says(2, "Missing required parameter", to(bucket));
    says(1, "is no folder of this machine: create it", to(bucket.resolve("gone"), good.toString()));
    says(
        1,
        "with your cloud's own tools",
        good.toString(),
        "--bulkUploadBus=kafka://" + kafka.bootstrapServers() + "/bulk-upload",
        "--uploadBucket=s3://results");
    try (var copies = Files.list(bucket)) {
      assertThat(copies.toList()).isEmpty();
    }
  }

  private void says(int code, String words, String... arguments) {
    err.getBuffer().setLength(0);
    assertThat(run(arguments)).isEqualTo(code);
    assertThat(err.toString()).contains(words);
  }
}
