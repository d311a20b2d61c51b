package io.tailrace.bus.kafka;

import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.testing.BusContract;
import java.net.ServerSocket;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.rules.TemporaryFolder;

/** Kafka is a bus. */
public class KafkaContractTest extends BusContract {
  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static LocalKafka kafka;
  private static int topics;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(folder.getRoot().toPath().resolve("kafka"), 0);
  }

  @AfterClass
  public static void stop() {
    kafka.close();
  }

  @Override
  protected String newTopic(int partitions) {
    String topic = "topic-" + topics++;
    kafka.createTopic(topic, partitions);
    return "kafka://" + kafka.bootstrapServers() + "/" + topic;
  }

  @Override
  protected String missingTopic() {
    return "kafka://" + kafka.bootstrapServers() + "/no-such-topic";
  }

  @Override
  protected String unreachable() throws Exception {
    try (ServerSocket closed = new ServerSocket(0)) {
      return "kafka://127.0.0.1:" + closed.getLocalPort() + "/topic";
    }
  }
}
