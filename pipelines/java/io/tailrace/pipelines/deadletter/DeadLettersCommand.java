package io.tailrace.pipelines.deadletter;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Lists, explains, replays and discards what writers could never write. */
@Command(
    name = "dead-letters",
    mixinStandardHelpOptions = true,
    description = {
      "What writers could never write: lists it, explains it, sends back what was mended, and"
          + " discards the rest.",
      "",
      "dead-letters list                               which letters wait, and why",
      "dead-letters show 0@17                          what is wrong with one",
      "dead-letters replay --reason=TYPE_CHANGED --wait  send back what a mended table takes now",
      "dead-letters discard --reason=UNDECODABLE       what nobody can mend"
    },
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      ListLettersCommand.class,
      ShowLettersCommand.class,
      ReplayLettersCommand.class,
      DiscardLettersCommand.class,
      SweepLettersCommand.class
    })
public final class DeadLettersCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Which command? list, show, replay, discard or sweep");
  }
}
