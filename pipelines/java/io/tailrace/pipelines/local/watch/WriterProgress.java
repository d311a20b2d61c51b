package io.tailrace.pipelines.local.watch;

import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.servers.FlinkCluster;
import io.tailrace.stage.FreshnessCounters;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;

/**
 * How far a writer of a {@link LocalStack} has come, from what the bus, the writer's committed
 * offsets and its counters say. Not thread-safe.
 */
public final class WriterProgress implements AutoCloseable {
  private final LocalStack stack;
  private final RunningWriter writer;

  /** Flink joins the namespace and the name of Beam's counters so. */
  private final String prefix;

  private final GroupOffsets offsets;
  private final long before;
  private long settledBefore;
  private long lastSettled;
  private long lastPublished;

  /**
   * Messages of a writer's bus, counted since it is watched.
   *
   * @param published on the bus
   * @param persisted dealt with; about half a second old, and after a restart of the writer an
   *     estimate
   * @param committed certainly dealt with, whatever happens now
   * @param lag that were waiting when the writer reported last
   */
  public record Messages(long published, long persisted, long committed, long lag) {}

  /**
   * How the writer is.
   *
   * @param checkpoints how many it has completed
   */
  public record Health(JobStatus status, long checkpoints, int restarts) {}

  /**
   * What is known at one moment.
   *
   * @param counters what the writing stage has counted since its last restart, by the counters' own
   *     names
   */
  public record Snapshot(
      Writer<?> writer, Messages messages, Map<String, Long> counters, Health health) {
    /** Returns its name. */
    public String name() {
      return writer.name();
    }

    /** Returns whether it reads query results, which are published here. */
    public boolean readsResults() {
      return writer.reads().equals(LocalStack.RESULT_BUS);
    }

    /** Returns the end of the step of freshness that a part of the messages reached, or -1. */
    long freshnessMillis(double part) {
      return FreshnessCounters.quantileMillis(counters, "", part);
    }

    /** Returns a counter of the writing stage. */
    public long counted(String name) {
      return counters.getOrDefault(name, 0L);
    }
  }

  public WriterProgress(LocalStack stack, RunningWriter writer) {
    this.stack = stack;
    this.writer = writer;
    this.prefix = writer.writer().stage() + "_";
    this.offsets = new GroupOffsets(stack.kafka().bootstrapServers(), writer);
    this.before = offsets.published();
  }

  /**
   * Asks everybody.
   *
   * @param letters tell how many messages could not be decoded
   */
  public Snapshot look(DeadLetterTally letters) {
    long refused = letters.refused(writer.name());
    JobID job = writer.job();
    Map<String, Long> counters = new TreeMap<>();
    stack
        .flink()
        .counters(job, name -> name.startsWith(prefix))
        .forEach((name, count) -> counters.put(name.substring(prefix.length()), count));
    long committed = Math.max(0, offsets.committed() - before);
    long published = offsets.published() - before;
    long settled = counters.getOrDefault(writer.writer().settled(), 0L);
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
        writer.writer(),
        new Messages(published, persisted, committed, lag),
        counters,
        new Health(
            status(job), stack.flink().completedCheckpoints(job), stack.flink().restarts(job)));
  }

  private JobStatus status(JobID job) {
    return stack.flink().jobs().stream()
        .filter(it -> it.id().equals(job))
        .map(FlinkCluster.Job::status)
        .findFirst()
        .orElse(JobStatus.FAILED);
  }

  @Override
  public void close() {
    offsets.close();
  }
}
