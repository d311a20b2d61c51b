package io.tailrace.pipelines.tools;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.v1.QueryResult;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import picocli.CommandLine;

@RunWith(JUnit4.class)
public class PublishCommandTest {
  private static final String SOUND =
      "{\"operationId\":\"1\",\"environmentId\":\"prod\",\"queryTimestamp\":\"1700000000000000\",\"frames\":[{\"namespace\":\"user\","
          + "\"int64Keys\":[42],\"columns\":[{\"feature\":\"user.age\",\"type\":\"INT64\","
          + "\"observedAt\":[1],\"int64Values\":[35]}]}]}";

  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private static LocalKafka kafka;
  private static int topics;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private String topic;

  @BeforeClass
  public static void startKafka() throws Exception {
    kafka = LocalKafka.start(temporary.newFolder().toPath(), 0);
  }

  @AfterClass
  public static void stopKafka() {
    kafka.close();
  }

  @Before
  public void createTopic() {
    topic = "results-" + topics++;
    kafka.createTopic(topic, 1);
  }

  @Test
  public void publishesEveryLineKeyedByItsEntity() throws Exception {
    assertThat(publish(SOUND + "\n\n  \n" + SOUND.replace("42", "-43") + "\n")).isEqualTo(0);

    List<ConsumerRecord<byte[], byte[]>> records = read(2);
    assertThat(new String(records.get(0).key(), UTF_8)).isEqualTo("user:42");
    assertThat(new String(records.get(1).key(), UTF_8)).isEqualTo("user:-43");
    QueryResult result = QueryResult.parseFrom(records.get(0).value());
    assertThat(result.getFrames(0).getColumns(0).getInt64Values(0)).isEqualTo(35);
    assertThat(out.toString().trim()).isEqualTo("Published 2 results to " + bus());
    assertThat(err.toString()).isEmpty();
  }

  @Test
  public void namesWrongLinesByNumberAndFieldAndPublishesTheOthers() throws Exception {
    int code =
        publish(
            String.join(
                "\n",
                SOUND.replace("INT64", "INTT64"),
                SOUND,
                SOUND.replace("[35]", "[35,36]"),
                SOUND.replace("feature", "feeture"),
                SOUND.replace("[42]", "[\"x\"]"),
                SOUND.replace("\"1\"", "\"\""),
                "{\"operationId\"",
                "[]",
                SOUND));

    assertThat(code).isEqualTo(1);
    List<String> errors = err.toString().lines().toList();
    assertThat(errors).hasSize(7);
    assertThat(errors.get(0)).startsWith("line 1: frames[0].columns[0].type: ");
    assertThat(errors.get(1)).startsWith("line 3: frames[0].columns[0].int64_values: ");
    assertThat(errors.get(2)).startsWith("line 4: frames[0].columns[0].feeture: ");
    assertThat(errors.get(3)).startsWith("line 5: frames[0].int64_keys[0]: ");
    assertThat(errors.get(4)).startsWith("line 6: operation_id: ");
    assertThat(errors.get(5)).startsWith("line 7: not JSON: ");
    assertThat(errors.get(6)).startsWith("line 8: ");
    assertThat(read(2)).hasSize(2);
    assertThat(out.toString()).contains("Published 2 results");
    assertThat(out.toString()).contains("7 lines left out");
  }

  @Test
  public void readsAFile() throws Exception {
    Path file = temporary.newFile().toPath();
    Files.writeString(file, SOUND);
    assertThat(run("", "--bus=" + bus(), file.toString())).isEqualTo(0);
    assertThat(read(1)).hasSize(1);
  }

  @Test
  public void aLineThatIsNotUtf8StopsNoOther() throws Exception {
    Path file = temporary.newFile().toPath();
    Files.write(
        file,
        (SOUND + "\n" + SOUND.replace("prod", "pr\u00e9") + "\n" + SOUND).getBytes(ISO_8859_1));

    assertThat(run("", "--bus=" + bus(), file.toString())).isEqualTo(1);

    assertThat(err.toString()).contains("line 2: the line is not UTF-8");
    assertThat(read(2)).hasSize(2);
  }

  @Test
  public void saysWhatIsWrongInOneLine() {
    assertThat(run(SOUND, "--bus=" + bus(), "no-such-file")).isEqualTo(1);
    assertThat(run(SOUND, "--bus=kafka://" + kafka.bootstrapServers() + "/no-such-topic", "-"))
        .isEqualTo(1);
    assertThat(run(SOUND, "--bus=redis://localhost", "-")).isEqualTo(1);
    assertThat(run(SOUND, "-")).isEqualTo(1);
    List<String> errors = err.toString().lines().toList();
    assertThat(errors).hasSize(4);
    assertThat(errors.get(0)).isEqualTo("There is no file no-such-file");
    assertThat(errors.get(1)).contains("no-such-topic");
    assertThat(errors.get(2)).contains("names no bus");
    assertThat(errors.get(3)).contains("--bus=kafka://host:9092/topic");
  }

  private String bus() {
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  private int publish(String lines) {
    return run(lines, "--bus=" + bus(), "-");
  }

  private int run(String standardInput, String... arguments) {
    return new CommandLine(
            new PublishCommand(
                temporary.getRoot().toPath().resolve("nothing-runs"),
                new ByteArrayInputStream(standardInput.getBytes(UTF_8))))
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .setExecutionExceptionHandler(
            (e, command, parsed) -> {
              if (e instanceof CommandException) {
                command.getErr().println(e.getMessage());
                return 1;
              }
              throw e;
            })
        .execute(arguments);
  }

  /** Reads until there are so many records, and then whether there are more. */
  private List<ConsumerRecord<byte[], byte[]>> read(int count) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", (Object) kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      assertThat(consumer.endOffsets(partitions).values()).containsExactly((long) count);
      List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
      while (records.size() < count) {
        consumer.poll(Duration.ofSeconds(1)).forEach(records::add);
      }
      return records;
    }
  }
}
