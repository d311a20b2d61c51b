package io.tailrace.pipelines.benchmark;

import static java.util.Objects.requireNonNull;

import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.pipelines.local.servers.LocalFlink;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A program that runs all writers on one Flink in one JVM, until it is ended. */
final class WritersInOneJvm {
  private WritersInOneJvm() {}

  /**
   * Runs them.
   *
   * @param args for each writer its name, and its options behind it
   */
  public static void main(String[] args) throws Exception {
    Map<String, Writer<?>> byName =
        Writers.ALL.stream().collect(Collectors.toMap(Writer::name, Function.identity()));
    Map<String, List<String>> options = new TreeMap<>();
    String writer = "";
    for (String arg : args) {
      if (byName.containsKey(arg)) {
        writer = arg;
        options.put(writer, new ArrayList<>());
      } else {
        options.getOrDefault(writer, new ArrayList<>()).add(arg);
      }
    }
    Path directory = Files.createTempDirectory("writers");
    try (LocalFlink flink = LocalFlink.in(directory).slots(byName.size()).start()) {
      for (Map.Entry<String, List<String>> each : options.entrySet()) {
        List<String> all = new ArrayList<>(flink.pipelineArguments());
        all.addAll(List.of("--parallelism=1", "--checkpointingInterval=1000"));
        all.addAll(each.getValue());
        var unused = requireNonNull(byName.get(each.getKey())).start(all.toArray(String[]::new));
      }
      new CountDownLatch(1).await();
    }
  }
}
