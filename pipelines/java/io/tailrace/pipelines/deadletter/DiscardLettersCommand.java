package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.BucketOptions;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.TerminalText;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Settles letters that nobody wants. */
@Command(
    name = "discard",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    modelTransformer = BucketOptions.class,
    description =
        "Marks letters as settled, so that they are neither listed nor replayed any more. They stay"
            + " on their topic until that forgets them; their files in --deadLetterOverflow are"
            + " deleted.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the letters were discarded, or there are none",
      "1:the bus can't be used, a letter that was named is not there, or the answer was no",
      "2:wrong use"
    })
final class DiscardLettersCommand implements Callable<Integer> {
  @Mixin private LetterTopic topic = new LetterTopic();
  @Mixin private LetterChoice choice = new LetterChoice();

  @Option(names = "--dry-run", description = "Only says how many letters that would be.")
  private boolean dryRun;

  @Option(names = "--yes", description = "Does not ask.")
  private boolean yes;

  @Spec private CommandSpec spec = CommandSpec.create();

  private final Confirmation confirmation;

  /** Creates the command. */
  DiscardLettersCommand() {
    this(System.in);
  }

  /** Creates the command for a test. */
  DiscardLettersCommand(InputStream answers) {
    this.confirmation = new Confirmation(answers);
  }

  @Override
  public Integer call() throws CommandException {
    Bus bus = topic.bus();
    LetterContents contents = topic.contents();
    PrintWriter out = spec.commandLine().getOut();
    try {
      long discarded = 0;
      Predicate<StoredLetter> chosen = letter -> choice.takes(letter, contents);
      // Nobody is held up while a person thinks.
      try (BusLog log = bus.log(yes && !dryRun ? BusLog.Use.SETTLE : BusLog.Use.LOOK)) {
        WaitingLetters letters = choice.waiting(log);
        ReplayPlan plan = plan(letters, chosen);
        plan.print(out);
        if (dryRun || plan.count() == 0) {
          out.println(dryRun ? "Nothing was done: --dry-run" : "No letter waits that was chosen");
          if (plan.isEmpty()) {
            choice.whyNone(letters, contents).forEach(out::println);
          }
          return 0;
        }
        if (yes) {
          discarded = discard(log, letters, chosen);
        } else {
          chosen = letters.extent().and(chosen);
        }
      }
      if (!yes) {
        if (!confirmation.isGiven(out, "Discard them?")) {
          out.println("Nothing was done");
          return 1;
        }
        try (BusLog log = bus.log(BusLog.Use.SETTLE)) {
          discarded = discard(log, choice.waiting(log), chosen);
        }
      }
      out.println(TerminalText.count(discarded, "letter") + " discarded");
      out.flush();
      new OverflowFiles(bus, contents).deleteSettled().ifPresent(out::println);
      return 0;
    } catch (UnavailableException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    } finally {
      out.flush();
    }
  }

  private static ReplayPlan plan(WaitingLetters letters, Predicate<StoredLetter> chosen)
      throws UnavailableException {
    ReplayPlan plan = new ReplayPlan();
    letters.read(
        chosen,
        letter -> {
          plan.add(letter, "");
          return true;
        });
    return plan;
  }

  private static long discard(BusLog log, WaitingLetters letters, Predicate<StoredLetter> chosen)
      throws UnavailableException {
    long[] count = {0};
    int[] notes = {0};
    letters.read(
        chosen,
        new WaitingLetters.Visitor() {
          @Override
          public boolean waiting(StoredLetter letter) throws UnavailableException {
            count[0]++;
            settle(letter, SettledLetters.How.DISCARDED);
            return true;
          }

          @Override
          public void repeated(StoredLetter letter) throws UnavailableException {
            settle(letter, SettledLetters.How.REPEATED);
          }

          private void settle(StoredLetter letter, SettledLetters.How how)
              throws UnavailableException {
            Place place = letter.message().place();
            log.note(place, SettledLetters.record(place, LetterIdentity.of(letter), how, ""));
            if (++notes[0] % LetterReplay.BATCH_LETTERS == 0) {
              log.flush();
            }
          }
        });
    log.flush();
    return count[0];
  }
}
