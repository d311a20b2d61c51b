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
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
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

  private static void publish(String topic, int count, int bytes, int partitions) {
    kafka.createTopic(topic, partitions);
    byte[] zeros = new byte[bytes];
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
        producer.send(new ProducerRecord<>(topic, i % partitions, null, zeros));
      }
    }
  }

  private static String read(String topic, int count) throws IOException, InterruptedException {
    File output = folder.newFile();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Of which the options of all clouds take nearly sixty.
    command.add("-Xmx92m");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(SmallHeapReader.class.getName());
    command.add("kafka://" + kafka.bootstrapServers() + "/" + topic);
    command.add(Integer.toString(count));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(output.toPath());
    return lines.isEmpty() ? "" : lines.get(lines.size() - 1);
  }
}
