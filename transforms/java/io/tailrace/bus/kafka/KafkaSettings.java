package io.tailrace.bus.kafka;

import java.util.Collections;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;

/** The settings of Kafka's clients, as these define them. Stateless and thread-safe. */
final class KafkaSettings {
  /** The names of all settings of consumers, producers and admin clients. */
  static final Set<String> NAMES = names(false);

  /** Those of secrets. */
  static final Set<String> SECRETS = names(true);

  private KafkaSettings() {}

  private static Set<String> names(boolean secretsOnly) {
    SortedSet<String> names = new TreeSet<>();
    Stream.of(ConsumerConfig.configDef(), ProducerConfig.configDef(), AdminClientConfig.configDef())
        .flatMap(definitions -> definitions.configKeys().values().stream())
        .filter(setting -> !secretsOnly || setting.type == ConfigDef.Type.PASSWORD)
        .forEach(setting -> names.add(setting.name));
    return Collections.unmodifiableSortedSet(names);
  }
}
