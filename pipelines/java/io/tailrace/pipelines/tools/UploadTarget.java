package io.tailrace.pipelines.tools;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningStack;
import java.util.Optional;
import org.checkerframework.checker.nullness.qual.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where a command hands result files to a bulk-insert-writer: its bucket and its bus. */
final class UploadTarget {
  @Option(
      names = "--bulkUploadBus",
      paramLabel = "URI",
      description =
          "The bus that the bulk-insert-writer reads: kafka://host:9092/topic. Default: that of the"
              + " 'local' that was started last on this machine.")
  private @Nullable String bulkUploadBus;

  @Option(
      names = "--uploadBucket",
      paramLabel = "URI",
      description =
          "The folder that the writer loads from, such as file:///folder. Default: that"
              + " of the 'local'.")
  private @Nullable String uploadBucket;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  /** Returns whether it is that of a writer which somebody has named. */
  boolean isGiven() {
    if ((bulkUploadBus == null) != (uploadBucket == null)) {
      throw new ParameterException(
          command.commandLine(),
          "--bulkUploadBus and --uploadBucket are those of one writer: give both, or neither");
    }
    return bulkUploadBus != null;
  }

  /**
   * Returns what was named, else that of a stack.
   *
   * @throws CommandException if there is neither
   */
  RunningStack.Uploads uploads(Optional<RunningStack> stack) throws CommandException {
    if (isGiven() && bulkUploadBus != null && uploadBucket != null) {
      return new RunningStack.Uploads(bulkUploadBus, uploadBucket);
    }
    return stack
        .flatMap(RunningStack::uploads)
        .orElseThrow(
            () ->
                new CommandException(
                    "No 'local' runs on this machine; name the writer's:"
                        + " --bulkUploadBus=kafka://host:9092/topic"
                        + " --uploadBucket=file:///folder"));
  }
}
