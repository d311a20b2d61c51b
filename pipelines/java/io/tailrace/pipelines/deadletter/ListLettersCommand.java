package io.tailrace.pipelines.deadletter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.BucketOptions;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.TerminalText;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows which letters wait, those that are alike on one line. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    modelTransformer = BucketOptions.class,
    description = {
      "Shows which letters wait on the dead-letter bus: those of one writer, stage, topic and"
          + " reason on one line, with how many they are, when the first and the last was written,"
          + " and one of them. What was replayed or discarded is not shown.",
      "",
      "With --format=prometheus it says the same to Prometheus, as for the textfile collector of"
          + " its node exporter."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:letters were listed, or there are none",
      "1:the bus can't be read, or a letter that was named is not there",
      "2:wrong use"
    })
final class ListLettersCommand implements Callable<Integer> {
  /** How groups are written. */
  enum Format {
    TABLE,
    JSON,
    PROMETHEUS
  }

  private static final int MAX_EXAMPLE = 120;
  private static final ObjectMapper JSON = new ObjectMapper();

  @Mixin private LetterTopic topic = new LetterTopic();
  @Mixin private LetterChoice choice = new LetterChoice();

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "TABLE",
      description = "table, json (an array with an object for each group) or prometheus.")
  private Format format = Format.TABLE;

  @Option(names = "--json", description = "The same as --format=json.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws CommandException {
    Bus bus = topic.bus();
    LetterContents contents = topic.contents();
    LetterGroups groups = new LetterGroups();
    long[] others = {0};
    PrintWriter out = spec.commandLine().getOut();
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      WaitingLetters letters = choice.waiting(log);
      letters.read(
          letter -> true,
          letter -> {
            if (choice.takes(letter, contents)) {
              groups.add(letter);
            } else {
              others[0]++;
            }
            return true;
          });
      Optional<Duration> kept = log.facts().retention();
      switch (json ? Format.JSON : format) {
        case TABLE -> {
          printTable(out, groups, letters.settled().count(), kept);
          if (groups.count() == 0) {
            choice.whyNone(letters, contents).forEach(out::println);
          } else if (others[0] > 0) {
            out.println("Not chosen: " + TerminalText.count(others[0], "letter") + " more");
          }
        }
        case JSON -> out.println(json(groups));
        case PROMETHEUS ->
            out.print(LetterMetrics.text(bus.topic(), groups.all(), letters.settled(), kept));
      }
      // To give back what was held takes a moment.
      out.flush();
    } catch (UnavailableException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
    return 0;
  }

  private static void printTable(
      PrintWriter out, LetterGroups groups, long settled, Optional<Duration> kept) {
    List<LetterGroups.Group> all = groups.all();
    if (!all.isEmpty()) {
      List<List<String>> rows = new ArrayList<>();
      rows.add(
          List.of("LETTERS", "REASON", "WRITER", "STAGE", "FROM", "FIRST", "LAST", "FOR EXAMPLE"));
      for (LetterGroups.Group group : all) {
        rows.add(
            List.of(
                String.format("%,7d", group.count()),
                TerminalText.safe(group.key().reason()),
                TerminalText.safe(writer(group.key())),
                TerminalText.safe(group.key().stage()),
                TerminalText.safe(group.key().topic()),
                time(group.first()),
                time(group.last()),
                TerminalText.cut(TerminalText.safe(example(group.example())), MAX_EXAMPLE)));
      }
      out.print(TerminalText.table(rows));
      out.println();
    }
    out.println(
        TerminalText.count(groups.count(), "letter")
            + (groups.count() == 1 ? " waits" : " wait")
            + (settled == 0 ? "" : "; " + TerminalText.count(settled, "letter") + " settled"));
    Optional<Instant> first = all.stream().map(LetterGroups.Group::first).min(Instant::compareTo);
    if (kept.isPresent() && first.isPresent()) {
      Duration left = Duration.between(Instant.now(), first.get().plus(kept.get()));
      out.println(
          "The topic keeps a letter for "
              + words(kept.get())
              + " at most: the first of these "
              + (left.isNegative() ? "may be forgotten now" : "is gone in " + words(left)));
    }
    if (!all.isEmpty()) {
      out.println(
          "'dead-letters show "
              + all.get(0).example().position()
              + "' explains one, 'dead-letters replay' sends back what was mended");
    }
  }

  private static String writer(LetterGroups.Key key) {
    return key.group().isEmpty() || key.group().equals(key.writer())
        ? key.writer()
        : key.writer() + " (" + key.group() + ")";
  }

  private static String example(LetterGroups.Example example) {
    return example.position()
        + "  "
        + (example.field().isEmpty() ? "" : example.field() + ": ")
        + example.message();
  }

  private static String time(Instant time) {
    return time.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /** Says a duration with its greatest unit. */
  static String words(Duration duration) {
    if (duration.toDays() > 1) {
      return duration.toDays() + " days";
    }
    return duration.toHours() > 1 ? duration.toHours() + " hours" : duration.toMinutes() + " min";
  }

  private static String json(LetterGroups groups) throws CommandException {
    List<Map<String, Object>> all = new ArrayList<>();
    for (LetterGroups.Group group : groups.all()) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("writer", group.key().writer());
      object.put("group", group.key().group());
      object.put("stage", group.key().stage());
      object.put("topic", group.key().topic());
      object.put("reason", group.key().reason());
      object.put("count", group.count());
      object.put("first", group.first().toString());
      object.put("last", group.last().toString());
      object.put("attempts", group.attempts());
      object.put(
          "example",
          Map.of(
              "position",
              group.example().position(),
              "field",
              group.example().field(),
              "message",
              group.example().message()));
      all.add(object);
    }
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(all);
    } catch (JsonProcessingException e) {
      throw new CommandException("The letters can't be written as JSON: " + e.getMessage(), e);
    }
  }
}
