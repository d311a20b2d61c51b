package io.tailrace.pipelines.local.watch;

import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.LocalStack.RunningWriter;
import io.tailrace.pipelines.local.servers.LocalFlink;
import io.tailrace.stage.FreshnessCounters;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/**
 * How far a writer of a {@link LocalStack} has come, from what the bus, the writer's committed
 * offsets and its counters say. Not thread-safe.
 */
public final class WriterProgress implements AutoCloseable {
  private final LocalStack stack;
  private final RunningWriter writer;

  /** Flink joins the namespace and the name of Beam's counters so. */
  private final String prefix;

  private final Admin admin;
  private final long before;
  private long settledBefore;
  private long lastSettled;
  private long lastPublished;

  /**
   * What is known at one moment.
   *
   * @param published messages on the bus
   * @param persisted messages that have been dealt with; about half a second old, and after a
   *     restart of the writer an estimate
   * @param committed messages that have certainly been dealt with, whatever happens now
   * @param lag messages that were waiting when the writer reported last
   * @param prefix what stands before the names of counters
   * @param counters what the writing stage has counted since its last restart
   */
  public record Snapshot(
      long published,
      long persisted,
      long committed,
      long lag,
      String prefix,
      Map<String, Long> counters,
      JobStatus status,
      long checkpoints,
      int restarts) {
    /** Returns the end of the step of freshness that a part of the messages reached, or -1. */
    long freshnessMillis(double part) {
      return FreshnessCounters.quantileMillis(counters, prefix, part);
    }

    /** Returns a counter of the writing stage. */
    public long written(String name) {
      return counters.getOrDefault(prefix + name, 0L);
    }
  }

  public WriterProgress(LocalStack stack, RunningWriter writer) {
    this.stack = stack;
    this.writer = writer;
    this.prefix = writer.stage() + "_";
    this.admin =
        Admin.create(
            Map.of(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
                (Object) stack.kafka().bootstrapServers()));
    this.before = endOfBus();
  }

  /**
   * Asks everybody.
   *
   * @param refused how many messages could not be decoded, as dead letters tell
   */
  public Snapshot look(long refused) {
    JobID job = writer.job();
    Map<String, Long> counters = stack.flink().counters(job, prefix);
    long committed = Math.max(0, committed() - before);
    long published = endOfBus() - before;
    long settled = counters.getOrDefault(prefix + writer.settled(), 0L);
    if (settled < lastSettled) {
      // The writer was restarted, and goes on from where it had committed.
      settledBefore = Math.max(0, committed - refused);
    }
    lastSettled = settled;
    long counted = settledBefore + settled + refused;
    long persisted = Math.min(published, Math.max(committed, counted));
    // The writer's counters are as old as the last look.
    long lag = Math.max(0, lastPublished - persisted);
    lastPublished = published;
    return new Snapshot(
        published,
        persisted,
        committed,
        lag,
        prefix,
        counters,
        status(job),
        stack.flink().completedCheckpoints(job),
        stack.flink().restarts(job));
  }

  private JobStatus status(JobID job) {
    return stack.flink().jobs().stream()
        .filter(it -> it.id().equals(job))
        .map(LocalFlink.Job::status)
        .findFirst()
        .orElse(JobStatus.FAILED);
  }

  private long committed() {
    return ask(
            () ->
                admin.listConsumerGroupOffsets(writer.name()).partitionsToOffsetAndMetadata().get())
        .values()
        .stream()
        .filter(offset -> offset != null)
        .mapToLong(offset -> offset.offset())
        .sum();
  }

  private long endOfBus() {
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
