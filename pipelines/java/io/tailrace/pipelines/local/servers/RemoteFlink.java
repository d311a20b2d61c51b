package io.tailrace.pipelines.local.servers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;

/**
 * A Flink cluster in other processes, which is asked at its REST endpoint. Whoever asks while no
 * JobManager runs gets an {@link java.io.UncheckedIOException}. Thread-safe.
 */
final class RemoteFlink implements FlinkCluster {
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final Duration POLL = Duration.ofMillis(20);

  private final String address;
  private final Path jar;
  private final Path savepoints;
  private final FlinkRest rest;

  /**
   * Asks nothing yet.
   *
   * @param address {@code host:port}
   * @param jar what is shipped with a job
   * @param savepoints where savepoints go
   */
  RemoteFlink(String address, Path jar, Path savepoints) {
    this.address = address;
    this.jar = jar;
    this.savepoints = savepoints;
    this.rest = new FlinkRest(address);
  }

  @Override
  public List<String> pipelineArguments() {
    return arguments(address, jar);
  }

  /** The options that send a pipeline to a cluster with a jar, and return once it is accepted. */
  static List<String> arguments(String address, Path jar) {
    return List.of(
        "--runner=FlinkRunner",
        "--flinkMaster=" + address,
        "--attachedMode=false",
        "--filesToStage=" + jar);
  }

  @Override
  public List<Job> jobs() {
    return elements(get("/jobs/overview").path("jobs"))
        .map(
            job ->
                new Job(
                    JobID.fromHexString(job.path("jid").asText()),
                    job.path("name").asText(),
                    JobStatus.valueOf(job.path("state").asText()),
                    Instant.ofEpochMilli(job.path("start-time").asLong())))
        .sorted(Comparator.comparing(Job::started))
        .toList();
  }

  @Override
  public boolean isProcessing(JobID job) {
    JsonNode found = get("/jobs/" + job);
    return found.path("state").asText().equals(JobStatus.RUNNING.name())
        && vertices(found)
            .allMatch(
                vertex ->
                    vertex.path("tasks").path("RUNNING").asInt()
                        == vertex.path("parallelism").asInt());
  }

  @Override
  public int parallelism(JobID job) {
    return vertices(get("/jobs/" + job))
        .mapToInt(vertex -> vertex.path("parallelism").asInt())
        .max()
        .orElse(0);
  }

  @Override
  public int restarts(JobID job) {
    return vertices(get("/jobs/" + job))
        .flatMap(
            vertex ->
                elements(
                    get("/jobs/" + job + "/vertices/" + vertex.path("id").asText())
                        .path("subtasks")))
        .mapToInt(subtask -> subtask.path("attempt").asInt())
        .max()
        .orElse(0);
  }

  @Override
  public long completedCheckpoints(JobID job) {
    return checkpoints(job).path("counts").path("completed").asLong();
  }

  @Override
  public long checkpointBytes(JobID job) {
    return checkpoints(job).path("latest").path("completed").path("state_size").asLong();
  }

  /** How often a job has taken up state, be it of an earlier job. */
  long restores(JobID job) {
    return checkpoints(job).path("counts").path("restored").asLong();
  }

  private JsonNode checkpoints(JobID job) {
    return get("/jobs/" + job + "/checkpoints");
  }

  @Override
  public Optional<String> lastFailure(JobID job) {
    return Optional.of(get("/jobs/" + job + "/exceptions").path("root-exception").asText())
        .filter(failure -> !failure.isEmpty() && !failure.equals("null"));
  }

  @Override
  public Map<String, Long> counters(JobID job, Predicate<String> names) {
    return rest.counters(job, names);
  }

  @Override
  public void cancel(JobID job) {
    if (!hasEnded(job)) {
      rest.send("PATCH", "/jobs/" + job + "?mode=cancel", "");
      await(() -> hasEnded(job), "job " + job + " does not end");
    }
  }

  @Override
  public String stopWithSavepoint(JobID job) {
    String savepoint = savepointOfStop(job);
    await(() -> hasEnded(job), "job " + job + " does not end");
    return savepoint;
  }

  /**
   * Stops a job with a savepoint, and returns where that is, at once: a JobManager of one job ends
   * when it has told.
   */
  String savepointOfStop(JobID job) {
    String request =
        rest.send(
                "POST",
                "/jobs/" + job + "/stop",
                "{\"targetDirectory\": \"" + savepoints.toUri() + "\", \"drain\": false}")
            .path("request-id")
            .asText();
    String path = "/jobs/" + job + "/savepoints/" + request;
    JsonNode[] status = {MissingNode.getInstance()};
    await(
        () -> {
          status[0] = get(path);
          return status[0].path("status").path("id").asText().equals("COMPLETED");
        },
        "job " + job + " does not stop");
    JsonNode operation = status[0].path("operation");
    if (operation.path("location").asText().isEmpty()) {
      throw new IllegalStateException("Flink refuses: " + operation.path("failure-cause"));
    }
    return operation.path("location").asText();
  }

  private boolean hasEnded(JobID job) {
    String state = get("/jobs/" + job).path("state").asText();
    return state.isEmpty() || JobStatus.valueOf(state).isGloballyTerminalState();
  }

  /** Returns how many task slots there are. */
  int slots() {
    return get("/overview").path("slots-total").asInt();
  }

  /** Returns the ids of the TaskManagers that there are. */
  Set<String> taskManagers() {
    return elements(get("/taskmanagers").path("taskmanagers"))
        .map(each -> each.path("id").asText())
        .collect(Collectors.toSet());
  }

  /** Returns the ids of the TaskManagers of which a job has a slot. */
  Set<String> busyTaskManagers() {
    return elements(get("/taskmanagers").path("taskmanagers"))
        .filter(each -> each.path("freeSlots").asInt() < each.path("slotsNumber").asInt())
        .map(each -> each.path("id").asText())
        .collect(Collectors.toSet());
  }

  private JsonNode get(String path) {
    return rest.get(path).orElse(MissingNode.getInstance());
  }

  private static Stream<JsonNode> vertices(JsonNode job) {
    return elements(job.path("vertices"));
  }

  private static Stream<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false);
  }

  /** Waits for something, for some minutes. */
  static void await(BooleanSupplier what, String otherwise) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!what.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("Flink: " + otherwise + " within " + PATIENCE);
      }
      try {
        Thread.sleep(POLL.toMillis());
      } catch (InterruptedException e) {
        throw LocalFlink.interrupted(e);
      }
    }
  }
}
