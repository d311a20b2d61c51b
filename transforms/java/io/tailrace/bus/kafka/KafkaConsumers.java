package io.tailrace.bus.kafka;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.Deserializer;

/** How Kafka's consumer is set up for reading a bus. Stateless and thread-safe. */
final class KafkaConsumers {
  /** Records that one poll hands out, where they are small. */
  static final int POLL_RECORDS = 1_000;

  /**
   * How long a broker may hold a fetch for partitions that have nothing new. Partitions that have
   * are not fetched meanwhile, so Kafka's 500 ms would stall a full partition beside an empty one.
   */
  private static final int FETCH_MAX_WAIT_MILLIS = 10;

  /** What one fetch brings of one partition: enough to work on while the next one is under way. */
  private static final int PARTITION_FETCH_BYTES = 2 << 20;

  /** What one fetch brings, compressed: a larger message still comes, alone. */
  private static final int FETCH_BYTES = 8 << 20;

  private KafkaConsumers() {}

  /**
   * Makes a consumer where it runs: only there are secrets read.
   *
   * @param pollRecords records that one poll hands out at most
   * @param bytes takes keys and values
   */
  static Consumer<byte[], byte[]> open(
      KafkaBus bus, String group, int pollRecords, Deserializer<byte[]> bytes) {
    Map<String, Object> settings = settings(bus, group);
    Object given = settings.get(ConsumerConfig.MAX_POLL_RECORDS_CONFIG);
    int most = given == null ? pollRecords : Integer.parseInt(given.toString());
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, Math.min(most, pollRecords));
    return new KafkaConsumer<>(settings, bytes, bytes);
  }

  static Map<String, Object> settings(KafkaBus bus, String group) {
    Map<String, Object> config = new HashMap<>();
    config.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, FETCH_MAX_WAIT_MILLIS);
    config.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, PARTITION_FETCH_BYTES);
    config.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
    config.putAll(bus.clientProperties());
    config.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    // Where to start is decided here, and an offset that is gone must be noticed.
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    // What a publisher has taken back was never published.
    config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    // A topic that was deleted must not come again by being asked for, with other partitions.
    config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    return config;
  }
}
