package io.tailrace.pipelines.deploy;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Records what a scaler sees of a topic and a group, a line a second: {@code milliseconds end,end,…
 * committed,committed,…}, a number for each partition; -1 where nothing was committed. This is how
 * {@code lag-*.txt} among the test resources were made.
 */
final class LagRecorder {
  private LagRecorder() {}

  /** Takes the broker, the topic, the group and for how many seconds. */
  public static void main(String[] args) throws Exception {
    Properties properties = new Properties();
    properties.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    try (Admin admin = Admin.create(properties)) {
      long start = System.nanoTime();
      for (int i = 0; i < Integer.parseInt(args[3]); i++) {
        int partitions =
            admin
                .describeTopics(List.of(args[1]))
                .allTopicNames()
                .get()
                .get(args[1])
                .partitions()
                .size();
        Map<TopicPartition, OffsetSpec> latest =
            new TreeMap<>(Comparator.comparing(TopicPartition::partition));
        for (int p = 0; p < partitions; p++) {
          latest.put(new TopicPartition(args[1], p), OffsetSpec.latest());
        }
        Map<TopicPartition, OffsetAndMetadata> committed =
            admin.listConsumerGroupOffsets(args[2]).partitionsToOffsetAndMetadata().get();
        var ends = admin.listOffsets(latest).all().get();
        System.out.println(
            (System.nanoTime() - start) / 1_000_000
                + " "
                + latest.keySet().stream()
                    .map(each -> String.valueOf(ends.get(each).offset()))
                    .collect(Collectors.joining(","))
                + " "
                + latest.keySet().stream()
                    .map(
                        each ->
                            committed.get(each) == null
                                ? "-1"
                                : String.valueOf(committed.get(each).offset()))
                    .collect(Collectors.joining(",")));
        Thread.sleep(1_000);
      }
    }
  }
}
