package io.tailrace.pipelines;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.options.PipelineOptions;

/**
 * Finds out why a job has ended. A job that reads a bus ends where somebody stops it, and else has
 * failed; but its result is the same on Flink whether it was stopped with a savepoint, or has ended
 * by itself. Stateless and thread-safe.
 */
final class JobEnd {
  /** Flink answers for some seconds what it has answered before ({@code web.refresh-interval}). */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private JobEnd() {}

  /**
   * Waits until a job ends, unless it was only to be started, and says why it has.
   *
   * @param writer whose job it is
   * @param options what it runs with
   * @return the program's exit code: 0 if it was stopped or cancelled, or goes on
   */
  static int await(
      String writer,
      PipelineOptions options,
      PipelineResult job,
      PrintStream out,
      PrintStream err) {
    // A flex template's launcher must end when the job has been submitted.
    if (Workers.areOfDataflow(options.getRunner()) || isDetached(options)) {
      return 0;
    }
    PipelineResult.State state = job.waitUntilFinish();
    if (state == PipelineResult.State.FAILED) {
      err.println(writer + ": the job has failed; its log says why");
      return 1;
    }
    if (state != PipelineResult.State.DONE) {
      return 0;
    }
    Optional<String> savepoint =
        Workers.ofFlink(options).flatMap(place -> savepoint(place, options.getJobName()));
    if (savepoint.isPresent()) {
      out.println(writer + ": stopped with the savepoint " + savepoint.get());
      return 0;
    }
    err.println(
        writer
            + ": the job has ended, which a job that reads a bus never does by itself. If nobody"
            + " stopped it with a savepoint, it was restored from a checkpoint in which its source"
            + " was not divided yet: start it without one");
    return 1;
  }

  /** As is a program that Flink has called: there it is Flink that waits for the job. */
  private static boolean isDetached(PipelineOptions options) {
    return Workers.given(options, "attachedMode").equals("false");
  }

  /**
   * Returns the savepoint with which the job of a name was stopped; nothing if it was not, or
   * nobody can tell.
   */
  private static Optional<String> savepoint(FlinkPlace place, String name) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Optional<String> job;
    do {
      job = ended(place, name);
    } while (job.isEmpty() && System.nanoTime() < deadline && FlinkPlace.pause());
    return job.flatMap(id -> savepointOf(place, id));
  }

  /** The id of the last job of a name, if the cluster says that it has ended. */
  private static Optional<String> ended(FlinkPlace place, String name) {
    return place.ask("/jobs/overview").stream()
        .flatMap(all -> StreamSupport.stream(all.path("jobs").spliterator(), false))
        .filter(job -> job.path("name").asText().equals(name))
        .max(Comparator.comparingLong(job -> job.path("start-time").asLong()))
        .flatMap(job -> place.ask("/jobs/" + job.path("jid").asText()))
        // What it says of checkpoints is as old as this.
        .filter(job -> job.path("state").asText().equals("FINISHED"))
        .map(job -> job.path("jid").asText());
  }

  /** That of a stop is another kind than one that somebody takes while the job goes on. */
  private static Optional<String> savepointOf(FlinkPlace place, String job) {
    return place
        .ask("/jobs/" + job + "/checkpoints")
        .map(all -> all.path("latest").path("savepoint"))
        .filter(last -> last.path("checkpoint_type").asText().equals("SYNC_SAVEPOINT"))
        .map(last -> last.path("external_path").asText());
  }
}
