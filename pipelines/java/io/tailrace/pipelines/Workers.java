package io.tailrace.pipelines;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.endpoint.Endpoint;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.transforms.display.DisplayData;

/** Where a pipeline runs, as its options say. Stateless and thread-safe. */
final class Workers {
  /** For how long a cluster is waited for. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** A host that is the machine itself, as a regular expression. */
  static final String LOOPBACK = "localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1]|0\\.0\\.0\\.0";

  private Workers() {}

  /** Returns whether a runner is Dataflow's, which is a dependency of a profile. */
  static boolean areOfDataflow(Class<?> runner) {
    return runner.getSimpleName().endsWith("DataflowRunner");
  }

  /** Returns whether a runner is Flink's, on whatever cluster. */
  static boolean areOfFlink(Class<?> runner) {
    return runner.getSimpleName().endsWith("FlinkRunner");
  }

  /**
   * Returns whether a pipeline runs on other machines than the one that starts it. Files of this
   * one are then not those of its workers, and may not outlive them.
   */
  static boolean areElsewhere(PipelineOptions options) {
    return areOfDataflow(options.getRunner())
        || (areOfFlink(options.getRunner()) && !isHere(flinkMaster(options)));
  }

  /**
   * Sees to it that a store that one process alone can use is used by one: each of several would
   * have a file of its own, on a disk that vanishes with it.
   */
  static void checkProcesses(
      String option, Endpoint store, PipelineOptions options, OptionCheck check) {
    if (!store.isForOneProcess()) {
      return;
    }
    String why =
        "--"
            + option
            + "="
            + store.uri()
            + " is a file, which one process alone can have open, and ";
    String correction = ": use a server, such as postgresql://host/database";
    if (areOfDataflow(options.getRunner())) {
      check.problem(why + "Dataflow runs the writer on other machines" + correction);
    } else if (areOfFlink(options.getRunner()) && isServer(flinkMaster(options))) {
      String master = flinkMaster(options);
      check.question(
          option + " on " + master,
          () -> {
            OptionalInt processes = taskManagers(master);
            if (processes.isEmpty()) {
              check.warning(
                  why
                      + "it is not known how many TaskManagers "
                      + master
                      + " has: it may have one");
            } else if (processes.getAsInt() > 1) {
              check.problem(
                  why
                      + master
                      + " has "
                      + processes.getAsInt()
                      + " TaskManagers"
                      + correction
                      + ", or a cluster with one TaskManager");
            }
          });
    }
  }

  private static boolean isServer(String master) {
    return master.contains(":");
  }

  private static OptionalInt taskManagers(String master) {
    return askFlink(master, "/taskmanagers")
        .map(answer -> answer.path("taskmanagers"))
        .filter(JsonNode::isArray)
        .map(all -> OptionalInt.of(all.size()))
        .orElse(OptionalInt.empty());
  }

  /**
   * Asks a Flink cluster.
   *
   * @return its answer, unless it gives none
   */
  static Optional<JsonNode> askFlink(String master, String path) {
    String address = master.matches("https?://.*") ? master : "http://" + master;
    try {
      HttpResponse<String> answer =
          HttpClient.newBuilder()
              .connectTimeout(PATIENCE)
              .build()
              .send(
                  HttpRequest.newBuilder(URI.create(address + path)).timeout(PATIENCE).build(),
                  HttpResponse.BodyHandlers.ofString());
      return Optional.of(new ObjectMapper().readTree(answer.body()));
    } catch (IOException | IllegalArgumentException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  static String flinkMaster(PipelineOptions options) {
    return given(options, "flinkMaster");
  }

  /**
   * Returns what an option was given; empty where it was not. Options of a runner are looked at as
   * text, so that no writer depends on one.
   */
  static String given(PipelineOptions options, String name) {
    return DisplayData.from(options).items().stream()
        .filter(item -> item.getKey().equals(name))
        .map(item -> Objects.toString(item.getValue(), ""))
        .findFirst()
        .orElse("");
  }

  private static boolean isHere(String master) {
    String host = master.replaceFirst("^https?://", "").toLowerCase(Locale.ROOT);
    return host.isEmpty()
        || host.equals("[local]")
        || host.equals("[collection]")
        || host.matches("(" + LOOPBACK + ")(:\\d+)?");
  }
}
