package io.tailrace.pipelines.local.servers;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;

/**
 * A Flink cluster to which jobs are submitted, and which is asked about them, wherever its
 * processes are. Thread-safe.
 */
public interface FlinkCluster {
  /**
   * A job that the cluster runs, or has run.
   *
   * @param started when it was submitted
   */
  record Job(JobID id, String name, JobStatus status, Instant started) {}

  /**
   * The Beam options that send a pipeline to this cluster and return once it is accepted. Nothing
   * is shipped with it: the cluster's processes have the classes.
   */
  List<String> pipelineArguments();

  /** All jobs that run and the last that ended, the oldest first. */
  List<Job> jobs();

  /**
   * Whether all tasks of a job run. A job whose status is running can still wait for slots, or for
   * its next attempt.
   */
  boolean isProcessing(JobID job);

  /** In how many copies the widest step of a job runs; 0 for a job that is not known. */
  int parallelism(JobID job);

  /**
   * How often a job has been restarted after a failure: of its tasks, the one restarted most often.
   * The connected steps of a job restart together.
   */
  int restarts(JobID job);

  /** How many checkpoints a job has completed since it was submitted. */
  long completedCheckpoints(JobID job);

  /** How much state the last completed checkpoint of a job has, in bytes; 0 before there is one. */
  long checkpointBytes(JobID job);

  /** Why a job failed last, with the stack trace, if it ever did. */
  Optional<String> lastFailure(JobID job);

  /**
   * What the code of a job has counted since its tasks were last started, summed over all tasks:
   * the metrics whose own names, without the operator's, are asked for.
   *
   * <p>The answer is what the tasks reported when they were asked the time before, if that was not
   * just now.
   */
  Map<String, Long> counters(JobID job, Predicate<String> names);

  /** Cancels a job and returns when it has ended. Does nothing if it has ended before. */
  void cancel(JobID job);

  /**
   * Stops a job with a savepoint, from which another can go on, and returns when it has ended.
   *
   * @return the savepoint's URI
   */
  String stopWithSavepoint(JobID job);
}
