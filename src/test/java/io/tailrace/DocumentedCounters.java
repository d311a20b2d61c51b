package io.tailrace;

import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.stage.FreshnessCounters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The counters that {@code docs/metrics.md} lists. */
public final class DocumentedCounters {
  private static final Path DOCUMENT = Path.of("docs", "metrics.md");
  private static final Pattern HEADING = Pattern.compile("### (\\w+)");
  private static final Pattern WRITERS = Pattern.compile(".*Writers: ((`[a-z-]+`(, )?)+)\\..*");
  private static final Pattern ROW =
      Pattern.compile("\\| `([a-z0-9_*]+)` \\| ([a-z]+) \\| \\S.* \\|");

  /**
   * A stage.
   *
   * @param counters their names
   */
  public record Stage(String name, List<String> writers, Set<String> counters) {}

  private DocumentedCounters() {}

  /** Reads the list: stages by their names. */
  public static Map<String, Stage> read() throws IOException {
    Map<String, Stage> stages = new TreeMap<>();
    List<Stage> open = new ArrayList<>();
    for (String line : Files.readAllLines(DOCUMENT)) {
      Matcher heading = HEADING.matcher(line);
      Matcher writers = WRITERS.matcher(line);
      Matcher row = ROW.matcher(line);
      if (heading.matches()) {
        Stage stage = new Stage(heading.group(1), new ArrayList<>(), new TreeSet<>());
        assertWithMessage("two sections").that(stages.put(stage.name, stage)).isNull();
        open.clear();
        open.add(stage);
      } else if (line.startsWith("#")) {
        open.clear();
      } else if (!open.isEmpty() && writers.matches()) {
        open.get(0).writers.addAll(List.of(writers.group(1).replace("`", "").split(", ")));
      } else if (!open.isEmpty() && row.matches()) {
        List<String> names =
            row.group(1).equals("freshness_*") ? FreshnessCounters.names() : List.of(row.group(1));
        for (String name : names) {
          assertWithMessage("%s twice", name).that(open.get(0).counters.add(name)).isTrue();
        }
      }
    }
    return stages;
  }

  /** Returns a counter's name at the endpoint of a TaskManager of Flink. */
  public static String atEndpoint(String stage, String counter) {
    return "flink_taskmanager_job_task_operator_" + stage + "_" + counter;
  }
}
