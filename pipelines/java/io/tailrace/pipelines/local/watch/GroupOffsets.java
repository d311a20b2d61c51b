package io.tailrace.pipelines.local.watch;

import io.tailrace.pipelines.local.RunningWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/** What a bus has for a writer, and how much of it the writer's group has committed. */
public final class GroupOffsets implements AutoCloseable {
  private final RunningWriter writer;
  private final Admin admin;

  /** Begins to ask brokers about a writer. */
  public GroupOffsets(String bootstrapServers, RunningWriter writer) {
    this.writer = writer;
    this.admin =
        Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, (Object) bootstrapServers));
  }

  /** Returns the sum of the offsets that the writer has committed. */
  public long committed() {
    return ask(
            () ->
                admin.listConsumerGroupOffsets(writer.name()).partitionsToOffsetAndMetadata().get())
        .values()
        .stream()
        .filter(offset -> offset != null)
        .mapToLong(offset -> offset.offset())
        .sum();
  }

  /** Returns the sum of the ends of what the writer reads. */
  public long published() {
    return ask(
        () -> {
          Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
          admin
              .describeTopics(List.of(writer.topic()))
              .allTopicNames()
              .get()
              .values()
              .forEach(
                  topic ->
                      topic
                          .partitions()
                          .forEach(
                              partition ->
                                  latest.put(
                                      new TopicPartition(topic.name(), partition.partition()),
                                      OffsetSpec.latest())));
          return admin.listOffsets(latest).all().get().values().stream()
              .collect(Collectors.summingLong(offset -> offset.offset()));
        });
  }

  private interface Question<T> {
    T ask() throws ExecutionException, InterruptedException;
  }

  private static <T> T ask(Question<T> question) {
    try {
      return question.ask();
    } catch (ExecutionException e) {
      throw new IllegalStateException("Kafka does not answer: " + e.getCause(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while Kafka was asked", e);
    }
  }

  @Override
  public void close() {
    admin.close();
  }
}
