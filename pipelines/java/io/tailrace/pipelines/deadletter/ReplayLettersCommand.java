package io.tailrace.pipelines.deadletter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Durations;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.BucketOptions;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.TerminalText;
import java.io.InputStream;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Sends letters back to the bus that they came from. */
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    modelTransformer = BucketOptions.class,
    description = {
      "Sends letters back to the bus that their messages came from, for the writer that refused"
          + " them and no other. Only those that wait when it begins: a message that is refused"
          + " again is a new letter, with one attempt more, for another replay.",
      "",
      "What was sent is settled, and not sent again by the next replay. A replay that was stopped,"
          + " by Ctrl-C too, is taken up by the same command."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every letter that was chosen was sent, or there are none; with --wait, and stored",
      "1:some stay, some were refused again or are still on their way, one that was named is not"
          + " there, the answer was no, or a bus can't be used",
      "2:wrong use"
    })
final class ReplayLettersCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What a person reads; a program gets all. */
  private static final int MAX_LISTED = 100;

  @Mixin private LetterTopic topic = new LetterTopic();
  @Mixin private LetterChoice choice = new LetterChoice();

  @Option(
      names = "--to",
      paramLabel = "URI",
      description =
          "Send them to this bus, with its settings and secrets. Default: the bus that each came"
              + " from, with the settings of --deadLetterBus, if it is on the same servers"
              + " (Pub/Sub: in the same project).")
  private @Nullable String to;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Send this many letters a second at most. Default: ${DEFAULT-VALUE}.")
  private double rate;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Send this many letters at most. Default: all.")
  private long limit = Long.MAX_VALUE;

  @Option(
      names = "--deletionRetention",
      paramLabel = "TIME",
      defaultValue = "14d",
      description =
          "For how long the online writer remembers deletions, as it has it. Its letters whose"
              + " message was published before stay. Default: ${DEFAULT-VALUE}.")
  private String deletionRetention = "14d";

  @Option(
      names = "--wait",
      paramLabel = "TIME",
      arity = "0..1",
      fallbackValue = "2m",
      description =
          "Wait so long, two minutes if no time is given, until the writers are done with what was"
              + " sent, and say what became of each letter.")
  private @Nullable String wait;

  @Option(names = "--dry-run", description = "Only says how many letters that would be, and why.")
  private boolean dryRun;

  @Option(names = "--yes", description = "Does not ask.")
  private boolean yes;

  @Option(names = "--json", description = "Says everything as lines of JSON; needs --yes.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  private final Confirmation confirmation;

  /** Creates the command. */
  ReplayLettersCommand() {
    this(System.in);
  }

  /** Creates the command for a test. */
  ReplayLettersCommand(InputStream answers) {
    this.confirmation = new Confirmation(answers);
  }

  @Override
  public Integer call() throws CommandException {
    if (!(rate > 0)) {
      throw wrong("--rate must be more than 0, not " + rate);
    }
    if (limit < 1) {
      throw wrong("--limit must be 1 or more, not " + limit);
    }
    if (json && !yes && !dryRun) {
      throw wrong("--json asks nobody: say --yes or --dry-run, too");
    }
    Duration retention = duration("--deletionRetention", deletionRetention);
    Optional<Duration> patience = Optional.ofNullable(wait).map(text -> duration("--wait", text));
    Bus bus = topic.bus();
    LetterContents contents = topic.contents();
    ReplayDoor door = new ReplayDoor(bus, target(), retention, contents);
    PrintWriter out = spec.commandLine().getOut();
    try (Stopping stopping = Stopping.onSignal()) {
      Replay how = new Replay(door, contents, it -> choice.takes(it, contents), stopping, patience);
      ReplayPlan plan;
      boolean all = false;
      if (door.to().isPresent()) {
        // Nobody has looked at it before.
        door.to().get().check();
      }
      // Nobody is held up while a person thinks.
      try (BusLog log = bus.log(yes && !dryRun ? BusLog.Use.SETTLE : BusLog.Use.LOOK)) {
        WaitingLetters letters = choice.waiting(log);
        plan = plan(letters, how);
        print(out, plan);
        if (dryRun || plan.count() == 0) {
          say(out, dryRun ? "Nothing was done: --dry-run" : "No letter can be sent");
          if (plan.isEmpty()) {
            choice.whyNone(letters, contents).forEach(it -> say(out, it));
          }
          return plan.refused() == 0 ? 0 : 1;
        }
        if (yes) {
          all = replay(out, log, letters, how);
        } else {
          how = how.among(letters.extent());
        }
      }
      if (!yes) {
        if (!confirmation.isGiven(out, "Send them?")) {
          out.println("Nothing was done");
          return 1;
        }
        try (BusLog log = bus.log(BusLog.Use.SETTLE)) {
          all = replay(out, log, choice.waiting(log), how);
        }
      }
      new OverflowFiles(bus, contents).deleteSettled().ifPresent(it -> say(out, it));
      return all && plan.refused() == 0 ? 0 : 1;
    } catch (UnavailableException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    } finally {
      out.flush();
    }
  }

  private record Replay(
      ReplayDoor door,
      LetterContents contents,
      Predicate<StoredLetter> chosen,
      Stopping stopping,
      Optional<Duration> patience) {
    /** Returns the same of some letters alone. */
    Replay among(Predicate<StoredLetter> those) {
      return new Replay(door, contents, those.and(chosen), stopping, patience);
    }
  }

  private ReplayPlan plan(WaitingLetters letters, Replay how)
      throws UnavailableException, CommandException {
    ReplayPlan plan = new ReplayPlan();
    letters.read(
        how.chosen,
        letter -> {
          Optional<Refusal> refusal = how.door.refusal(letter);
          refusal.ifPresentOrElse(
              plan::add, () -> plan.add(letter, how.door.bus(letter).orElseThrow().name()));
          return refusal.isEmpty();
        });
    if (to != null && plan.topics().size() > 1) {
      throw new CommandException(
          "--to is one bus, and the letters that were chosen came from several topics: "
              + String.join(", ", plan.topics())
              + "; choose those of one with --topic=NAME");
    }
    return plan;
  }

  private boolean replay(PrintWriter out, BusLog log, WaitingLetters letters, Replay how)
      throws UnavailableException, CommandException {
    Staying staying = new Staying(spec.commandLine().getErr());
    ReplayWatch watch = new ReplayWatch(log);
    boolean finished;
    long count;
    try (LetterReplay replay =
        new LetterReplay(
            how.door,
            how.contents,
            log,
            how.patience.isPresent() ? watch : staying,
            how.stopping)) {
      finished = replay.run(letters, how.chosen, rate, limit);
      count = replay.count();
    }
    say(
        out,
        TerminalText.count(count, "letter")
            + " sent"
            + (finished ? "" : "; stopped: the same command goes on with the rest"));
    if (how.patience.isEmpty()) {
      return finished && staying.count == 0;
    }
    out.flush();
    watch.watch(how.patience.get(), how.stopping);
    return printOutcomes(out, watch.outcomes()) && finished;
  }

  /** Says what can't be sent, where nobody watches. */
  private static final class Staying implements LetterReplay.Listener {
    private final PrintWriter err;
    private long count;

    Staying(PrintWriter err) {
      this.err = err;
    }

    @Override
    public void replayed(StoredLetter letter, Bus bus, Optional<Place> place) {}

    @Override
    public void stays(StoredLetter letter, String why) {
      count++;
      err.println(letter.position() + " was not sent: " + TerminalText.safe(why));
      err.flush();
    }
  }

  private boolean printOutcomes(PrintWriter out, Map<String, ReplayWatch.Watched> outcomes)
      throws CommandException {
    Map<ReplayWatch.Outcome, Long> counts = new EnumMap<>(ReplayWatch.Outcome.class);
    int listed = 0;
    for (Map.Entry<String, ReplayWatch.Watched> each : outcomes.entrySet()) {
      ReplayWatch.Watched letter = each.getValue();
      counts.merge(letter.outcome(), 1L, Long::sum);
      if (json) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("letter", each.getKey());
        line.put("writer", letter.writer());
        line.put("reason", letter.reason());
        line.put("outcome", letter.outcome().name());
        line.put("detail", letter.detail());
        out.println(json(line));
      } else if (listed++ < MAX_LISTED) {
        out.println(
            "  "
                + each.getKey()
                + "  "
                + words(letter.outcome())
                + (letter.detail().isEmpty() ? "" : ": " + TerminalText.safe(letter.detail())));
      }
    }
    if (listed > MAX_LISTED) {
      say(out, "  … and " + (listed - MAX_LISTED) + " more, which --json lists");
    }
    counts.forEach((outcome, n) -> say(out, String.format("%,9d %s", n, words(outcome))));
    return counts.keySet().stream().allMatch(ReplayWatch.Outcome.STORED::equals);
  }

  private static String words(ReplayWatch.Outcome outcome) {
    return switch (outcome) {
      case STORED -> "stored";
      case REFUSED_AGAIN -> "refused again";
      case ON_ITS_WAY -> "still on its way";
      case UNKNOWN -> "sent, and the bus does not tell more";
      case NOT_SENT -> "not sent";
    };
  }

  private void print(PrintWriter out, ReplayPlan plan) throws CommandException {
    if (json) {
      out.println(json(plan.toJson()));
    } else {
      plan.print(out);
    }
  }

  /** Says something to a person alone. */
  private void say(PrintWriter out, String sentence) {
    if (!json) {
      out.println(sentence);
    }
  }

  private static String json(Object value) throws CommandException {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new CommandException("This can't be written as JSON: " + e.getMessage(), e);
    }
  }

  private Optional<Bus> target() throws CommandException {
    try {
      return Optional.ofNullable(to).map(Buses::at);
    } catch (IllegalArgumentException e) {
      throw new CommandException("--to: " + e.getMessage(), e);
    }
  }

  private Duration duration(String option, String text) {
    try {
      return Durations.parse(text);
    } catch (IllegalArgumentException e) {
      throw wrong(option + ": " + e.getMessage());
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
