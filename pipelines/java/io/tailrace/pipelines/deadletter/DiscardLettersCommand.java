package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
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
    description =
        "Marks letters as settled, so that they are neither listed nor replayed any more. They stay"
            + " on their topic until that forgets them; their files in --deadLetterOverflow are"
            + " deleted.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the letters were discarded, or there are none",
      "1:the bus can't be used, or the answer was no",
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
    try (BusLog log = bus.log()) {
      WaitingLetters letters = WaitingLetters.of(log);
      ReplayPlan plan = new ReplayPlan();
      letters.read(
          letter -> choice.takes(letter, contents),
          letter -> {
            plan.add(letter, "");
            return true;
          });
      plan.print(out);
      if (dryRun || plan.count() == 0) {
        out.println(dryRun ? "Nothing was done: --dry-run" : "No letter waits that was chosen");
        return 0;
      }
      if (!yes && !confirmation.isGiven(out, "Discard them?")) {
        out.println("Nothing was done");
        return 1;
      }
      long discarded = discard(log, letters, contents);
      out.println(Shown.count(discarded, "letter") + " discarded");
      new OverflowFiles(bus, contents).deleteSettled().ifPresent(out::println);
      return 0;
    } catch (UnavailableException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    } finally {
      out.flush();
    }
  }

  private long discard(BusLog log, WaitingLetters letters, LetterContents contents)
      throws UnavailableException {
    SettledBatch batch = new SettledBatch(log);
    long[] count = {0};
    letters.read(
        letter -> choice.takes(letter, contents),
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
            batch.add(letter.message().place(), LetterIdentity.of(letter), how, "");
            if (batch.isFull()) {
              batch.settle();
            }
          }
        });
    batch.settle();
    return count[0];
  }
}
