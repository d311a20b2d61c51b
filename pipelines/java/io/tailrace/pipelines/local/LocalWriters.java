package io.tailrace.pipelines.local;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.local.servers.FlinkCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.JobID;

/** Starts writers on a cluster, each with the buses and stores that it needs. Thread-safe. */
public final class LocalWriters {
  private static final Duration START_TIMEOUT = Duration.ofMinutes(3);
  private static final Duration POLL = Duration.ofMillis(20);

  private final FlinkCluster flink;
  private final Map<String, String> uris;
  private final List<String> settings;

  /**
   * Starts nothing yet.
   *
   * @param uris what the options that name a bus or a store are, by their names
   * @param settings options that every writer gets, in the form {@code --name=value}
   */
  public LocalWriters(FlinkCluster flink, Map<String, String> uris, List<String> settings) {
    this.flink = flink;
    this.uris = Map.copyOf(uris);
    this.settings = List.copyOf(settings);
  }

  /**
   * Starts writers and returns when all of them carry messages.
   *
   * @return them, in their order
   * @throws CommandException if an option is wrong
   * @throws IllegalStateException if one does not start
   */
  public List<RunningWriter> start(List<Writer<?>> writers) throws CommandException {
    List<RunningWriter> running = new ArrayList<>();
    for (Writer<?> writer : writers) {
      running.add(start(writer, List.of()));
    }
    running.forEach(this::awaitProcessing);
    return List.copyOf(running);
  }

  /**
   * Starts a writer; see {@link #awaitProcessing}.
   *
   * @param more options that it gets besides, or instead, in the form {@code --name=value}
   * @throws CommandException if an option is wrong
   */
  public RunningWriter start(Writer<?> writer, List<String> more) throws CommandException {
    List<String> options = new ArrayList<>(flink.pipelineArguments());
    options.addAll(options(writer, more));
    var unused = writer.start(options.toArray(String[]::new));
    List<FlinkCluster.Job> jobs = flink.jobs();
    JobID job = jobs.get(jobs.size() - 1).id();
    String source = uri(writer, writer.reads());
    return new RunningWriter(writer, source.substring(source.lastIndexOf('/') + 1), job);
  }

  /**
   * Returns what a writer is told, whatever it runs on.
   *
   * @param more options that it gets besides, or instead, in the form {@code --name=value}
   */
  public List<String> options(Writer<?> writer, List<String> more) {
    List<String> options = new ArrayList<>();
    options.add("--jobName=" + writer.name());
    settings.stream()
        .filter(setting -> more.stream().noneMatch(each -> name(each).equals(name(setting))))
        .forEach(options::add);
    options.addAll(more);
    for (String option : writer.endpoints().keySet()) {
      options.add("--" + option + "=" + uri(writer, option));
    }
    return options;
  }

  private static String name(String option) {
    return option.substring(0, option.indexOf('='));
  }

  private String uri(Writer<?> writer, String option) {
    String uri = uris.get(option);
    if (uri == null) {
      throw new IllegalStateException(
          "Nothing runs here for --" + option + ", which the " + writer.name() + " needs");
    }
    return uri;
  }

  /**
   * Returns when a writer carries messages.
   *
   * @throws IllegalStateException if it does not start
   */
  public void awaitProcessing(RunningWriter writer) {
    long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
    while (!flink.isProcessing(writer.job())) {
      if (System.nanoTime() > deadline || flink.restarts(writer.job()) > 2) {
        throw new IllegalStateException(
            "The "
                + writer.name()
                + " does not start: "
                + flink.lastFailure(writer.job()).orElse("its tasks are not running yet"));
      }
      pause();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while a writer starts", e);
    }
  }
}
