package io.tailrace.pipelines;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import org.apache.flink.configuration.ClusterOptions;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.SchedulerExecutionMode;
import org.apache.flink.streaming.api.environment.LocalStreamEnvironment;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The Flink cluster that a pipeline runs on, in other processes than the program that starts it.
 * Immutable and thread-safe. Only where Flink is on the class path.
 *
 * @param name for people
 * @param address of its REST endpoint, such as {@code http://jobmanager:8081}
 * @param isOnThisMachine whether its TaskManagers are where the program runs
 * @param isReactive whether the job has copies on every TaskManager that comes
 * @param settling for how long TaskManagers that were started with it may still be on their way
 */
record FlinkPlace(
    String name, String address, boolean isOnThisMachine, boolean isReactive, Duration settling) {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(50);

  private static final HttpClient CLIENT = HttpClient.newBuilder().connectTimeout(PATIENCE).build();

  /** Returns the cluster that an option names, as Beam understands it. */
  static FlinkPlace named(String master) {
    String host = host(master);
    String scheme = master.matches("https?://.*") ? "" : "http://";
    String port = master.matches(".*:\\d+") ? "" : ":" + RestOptions.PORT.defaultValue();
    return new FlinkPlace(
        master, scheme + master + port, isLoopback(host), /* isReactive= */ false, Duration.ZERO);
  }

  /**
   * Returns the cluster whose program this is, which runs in its JobManager or was called by {@code
   * flink run}; nothing if Flink runs in this process, as it does where nobody says otherwise.
   */
  static Optional<FlinkPlace> ofThisProgram() {
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    if (environment instanceof LocalStreamEnvironment) {
      return Optional.empty();
    }
    ReadableConfig flink = environment.getConfiguration();
    String target = flink.getOptional(DeploymentOptions.TARGET).orElse("");
    return switch (target) {
      case "local" -> Optional.empty();
      case "embedded" -> Optional.of(around(flink));
      case "remote" -> Optional.of(named(address(flink.getOptional(RestOptions.ADDRESS), flink)));
      // Such as kubernetes-session, whose address Flink finds out later.
      default -> Optional.of(named(target));
    };
  }

  /** The cluster of the JobManager that this process is. */
  private static FlinkPlace around(ReadableConfig flink) {
    return new FlinkPlace(
        "this Flink cluster",
        // Its name is perhaps that of a service, which sends nobody here before it has started.
        "http://"
            + address(
                flink.getOptional(RestOptions.BIND_ADDRESS).filter(host -> !isLoopback(host)),
                flink),
        // Only from this machine can anybody reach it then.
        isLoopback(flink.getOptional(JobManagerOptions.ADDRESS).orElse("")),
        flink
            .getOptional(JobManagerOptions.SCHEDULER_MODE)
            .filter(SchedulerExecutionMode.REACTIVE::equals)
            .isPresent(),
        // So long a TaskManager waits that was there before its JobManager was.
        Duration.ofMillis(2 * flink.get(ClusterOptions.ERROR_REGISTRATION_DELAY)));
  }

  private static String address(Optional<String> host, ReadableConfig flink) {
    return host.orElse("127.0.0.1") + ":" + flink.get(RestOptions.PORT);
  }

  private static String host(String address) {
    return address.replaceFirst("^https?://", "").replaceFirst(":\\d+$", "");
  }

  private static boolean isLoopback(String host) {
    return host.matches("(?i)" + Workers.LOOPBACK);
  }

  /**
   * Returns how many TaskManagers there are, as soon as there are several or no more are on their
   * way.
   *
   * @return their number; 0 if it is not known, or none has come yet
   */
  int taskManagers() {
    long deadline = System.nanoTime() + settling.toNanos();
    int found;
    do {
      found = ask("/taskmanagers").map(answer -> answer.path("taskmanagers").size()).orElse(0);
    } while (found < 2 && System.nanoTime() < deadline && pause());
    return found;
  }

  /**
   * Asks the cluster.
   *
   * @return its answer, unless it gives none
   */
  Optional<JsonNode> ask(String path) {
    try {
      HttpResponse<String> answer =
          CLIENT.send(
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

  /** Waits a moment; returns whether nobody has interrupted it. */
  static boolean pause() {
    try {
      Thread.sleep(POLL.toMillis());
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
