package io.tailrace.pipelines.deadletter;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.BucketOptions;
import io.tailrace.pipelines.CommandException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Deletes files that no letter needs any more. */
@Command(
    name = "sweep",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    modelTransformer = BucketOptions.class,
    description = {
      "Deletes files from --deadLetterOverflow: those of letters that are settled, and those that"
          + " are older than the topic keeps letters and that no letter names.",
      "",
      "Only for a directory that belongs to this dead-letter bus alone."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done, whether or not there was anything to delete",
      "1:the bus or the directory can't be used, or is another than the writers have",
      "2:wrong use"
    })
final class SweepLettersCommand implements Callable<Integer> {
  @Mixin private LetterTopic topic = new LetterTopic();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws CommandException {
    LetterContents contents = topic.contents();
    if (contents.overflow().isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "Say which directory: --deadLetterOverflow=DIR, as the writers have it");
    }
    PrintWriter out = spec.commandLine().getOut();
    try {
      out.println(new OverflowFiles(topic.bus(), contents).sweep());
    } catch (UnavailableException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
    out.flush();
    return 0;
  }
}
