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
      Pattern.compile("\\| `([a-z0-9_*]+)` \\| ([a-z]+) \\| (\\S.*) \\|");

  /** Stands for the row of the counters of freshness, which says what is measured in each stage. */
  public static final String FRESHNESS = "| `freshness_*` |";

  /**
   * A stage.
   *
   * @param counters their names
   * @param rows what is said of them; see {@link #row}
   */
  public record Stage(String name, List<String> writers, Set<String> counters, List<String> rows) {}

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
        Stage stage =
            new Stage(heading.group(1), new ArrayList<>(), new TreeSet<>(), new ArrayList<>());
        assertWithMessage("two sections").that(stages.put(stage.name, stage)).isNull();
        open.clear();
        open.add(stage);
      } else if (line.startsWith("#")) {
        open.clear();
      } else if (!open.isEmpty() && writers.matches()) {
        open.get(0).writers.addAll(List.of(writers.group(1).replace("`", "").split(", ")));
      } else if (!open.isEmpty() && row.matches()) {
        boolean freshness = row.group(1).equals("freshness_*");
        open.get(0).rows.add(freshness ? FRESHNESS : row(row.group(1), row.group(2), row.group(3)));
        List<String> names = freshness ? FreshnessCounters.names() : List.of(row.group(1));
        for (String name : names) {
          assertWithMessage("%s twice", name).that(open.get(0).counters.add(name)).isTrue();
        }
      }
    }
    return stages;
  }

  /** Returns the row of a counter. */
  public static String row(String name, String unit, String counts) {
    return "| `" + name + "` | " + unit + " | " + counts + " |";
  }

  /** Returns a counter's name at the endpoint of a TaskManager of Flink. */
  public static String atEndpoint(String stage, String counter) {
    return "flink_taskmanager_job_task_operator_" + stage + "_" + counter;
  }
}
