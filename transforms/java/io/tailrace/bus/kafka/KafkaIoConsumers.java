package io.tailrace.bus.kafka;

import io.tailrace.bus.BusReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import org.apache.beam.sdk.transforms.SerializableFunction;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Makes the consumers of {@code KafkaIO} where they run: only there are secrets read. Before it
 * reads as the group, a partition of which the group has nothing gets its start committed: then the
 * next start begins there too, and an offset that is gone is one that was deleted unread.
 */
final class KafkaIoConsumers
    implements SerializableFunction<Map<String, Object>, Consumer<byte[], byte[]>> {
  private static final long serialVersionUID = 1;

  /** What {@code KafkaIO} decides: it has a consumer that only looks where partitions end, too. */
  private static final List<String> ITS_OWN =
      List.of(
          ConsumerConfig.GROUP_ID_CONFIG,
          ConsumerConfig.ISOLATION_LEVEL_CONFIG,
          ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
          ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG);

  private final KafkaBus bus;
  private final String group;

  /**
   * Creates the factory.
   *
   * @param group the consumer group
   */
  KafkaIoConsumers(KafkaBus bus, String group) {
    this.bus = bus;
    this.group = group;
  }

  @Override
  public Consumer<byte[], byte[]> apply(Map<String, Object> given) {
    Map<String, Object> settings = settings(given);
    Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings);
    if (group.equals(settings.get(ConsumerConfig.GROUP_ID_CONFIG))) {
      try {
        begin(consumer);
      } catch (IOException e) {
        consumer.close();
        throw new UncheckedIOException(e);
      } catch (RuntimeException e) {
        consumer.close();
        throw e;
      }
    }
    return consumer;
  }

  /** Returns the settings of a consumer, secrets read. */
  Map<String, Object> settings(Map<String, Object> given) {
    Map<String, Object> settings = KafkaConsumers.settings(bus, group);
    for (String each : ITS_OWN) {
      Object value = given.get(each);
      if (value != null) {
        settings.put(each, value);
      }
    }
    if (bus.continuesAfterOverrun()) {
      settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    }
    return settings;
  }

  private void begin(Consumer<byte[], byte[]> consumer) throws IOException {
    Set<TopicPartition> partitions = new HashSet<>();
    for (PartitionInfo each : consumer.partitionsFor(bus.topic())) {
      partitions.add(new TopicPartition(bus.topic(), each.partition()));
    }
    Set<TopicPartition> missing = new HashSet<>();
    consumer
        .committed(partitions)
        .forEach(
            (partition, committed) -> {
              if (committed == null) {
                missing.add(partition);
              }
            });
    if (missing.isEmpty()) {
      return;
    }
    SortedMap<Integer, Long> starts = start().offsets();
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    consumer
        .beginningOffsets(missing)
        .forEach(
            (partition, first) ->
                offsets.put(
                    partition,
                    new OffsetAndMetadata(starts.getOrDefault(partition.partition(), first))));
    consumer.commitSync(offsets);
  }

  /** Asked for when the job was started, as a rule. */
  private TopicStart start() throws IOException {
    return bus.found().isPresent()
        ? bus.found().get()
        : TopicStart.find(bus, bus.reader().orElse(BusReader.of(group)));
  }
}
