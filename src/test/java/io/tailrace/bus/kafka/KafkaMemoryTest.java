package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.pipelines.local.servers.LocalKafka;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What a reader holds is bounded in bytes that were decompressed, in a heap that says so. */
public class KafkaMemoryTest {
  private static final int MEGABYTE = 1 << 20;

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static LocalKafka kafka;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(folder.getRoot().toPath().resolve("kafka"), 0);
  }

  @AfterClass
  public static void stop() {
    kafka.close();
  }

  @Test
  public void aThousandMegabytesThatWereCompressedToNothing() throws Exception {
    publish("zeros", 1_000, MEGABYTE, 1);

    assertThat(read("zeros", 1_000)).startsWith("messages=1000 bytes=1048576000 most=");
  }

  @Test
  public void smallOnesLargeOnesAndOneThatIsLargerThanAllInManyPartitions() throws Exception {
    publish("mixed", 20_000, 100, 4);
    publish("mixed", 200, 200_000, 4);
    publish("mixed", 1, 8 * MEGABYTE, 4);
    publish("mixed", 20_000, 100, 4);

    assertThat(read("mixed", 40_201))
        .startsWith("messages=40201 bytes=" + (4_000_000 + 40_000_000 + 8 * MEGABYTE) + " most=");
  }

  @Test
  public void headersThatWereCompressedToNothingWithAndWithoutKeyAndValue() throws Exception {
    // Without both they come past the bound of a poll: there are twenty times as many as one
    // brings.
    List<Header> some = List.of(new RecordHeader("h", new byte[10_000]));
    publish("headers", 20_000, partition -> record("headers", partition, null, some), 1);
    List<Header> large = List.of(new RecordHeader("h", new byte[900_000]));
    publish("headers", 60, partition -> record("headers", partition, new byte[100], large), 1);

    String read = read("headers", 20_060);

    assertThat(read).startsWith("messages=20060 bytes=" + (200_000_000 + 60 * 900_100) + " most=");
    // Not a thousand by a thousand: after the first ones fewer come at once.
    assertThat(Integer.parseInt(read.replaceFirst(".* batches=", ""))).isAtLeast(60);
  }

  private static ProducerRecord<byte[], byte[]> record(
      String topic, int partition, byte @Nullable [] value, List<Header> headers) {
    return new ProducerRecord<>(topic, partition, null, null, value, headers);
  }

  private static void publish(String topic, int count, int bytes, int partitions) {
    byte[] zeros = new byte[bytes];
    publish(topic, count, partition -> record(topic, partition, zeros, List.of()), partitions);
  }

  private static void publish(
      String topic,
      int count,
      IntFunction<ProducerRecord<byte[], byte[]>> ofPartition,
      int partitions) {
    kafka.createTopic(topic, partitions);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "compression.type",
                "zstd",
                "max.request.size",
                64 << 20,
                "batch.size",
                MEGABYTE,
                "linger.ms",
                50),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < count; i++) {
        producer.send(ofPartition.apply(i % partitions));
      }
    }
  }

  private static String read(String topic, int count) throws IOException, InterruptedException {
    File output = folder.newFile();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Of which the options of all clouds take nearly sixty.
    command.add("-Xmx100m");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(SmallHeapReader.class.getName());
    command.add("kafka://" + kafka.bootstrapServers() + "/" + topic);
    command.add(Integer.toString(count));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
    try {
      assertThat(process.waitFor(300, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(output.toPath());
    String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
    return last.startsWith("messages=") ? last : String.join("\n", lines);
  }
}
