package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.bus.Buses;
import io.tailrace.pipelines.CloudDefaults;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningStack;
import io.tailrace.stage.Overflow;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where letters are. */
final class LetterTopic {
  @Option(
      names = "--deadLetterBus",
      paramLabel = "URI",
      description =
          "The dead-letter bus, as the writers have it: kafka://host:9092/dead-letters. On Pub/Sub"
              + " a subscription of it that nobody else reads: pubsub://project/dead-letters."
              + " Default: that of the 'local' that was started last on this machine.")
  private @Nullable String deadLetterBus;

  @Option(
      names = "--deadLetterOverflow",
      paramLabel = "DIR",
      description =
          "The directory for what was too large for that bus, as the writers have it. No other file"
              + " is read or deleted, whatever a letter says. Default: that of the 'local'.")
  private @Nullable String deadLetterOverflow;

  /** Returns the bus that letters are on. */
  Bus bus() throws CommandException {
    String uri =
        Optional.ofNullable(deadLetterBus)
            .or(() -> local().map(RunningStack::deadLetterBus))
            .orElseThrow(
                () ->
                    new CommandException(
                        "No 'local' runs on this machine; say where letters are:"
                            + " --deadLetterBus=kafka://host:9092/dead-letters, or"
                            + " pubsub://project/SUBSCRIPTION"));
    try {
      return Buses.at(uri);
    } catch (IllegalArgumentException e) {
      throw new CommandException("--deadLetterBus: " + e.getMessage(), e);
    }
  }

  /** Returns the stack that runs on this machine, unless another bus was named. */
  Optional<RunningStack> running() {
    return deadLetterBus == null ? local() : Optional.empty();
  }

  private static Optional<RunningStack> local() {
    return RunningStack.find(RunningStack.defaultFile());
  }

  /** Returns the messages that letters are of. */
  LetterContents contents() throws CommandException {
    Optional<String> directory =
        deadLetterBus == null && deadLetterOverflow == null
            ? local().flatMap(RunningStack::deadLetterOverflow)
            : Optional.ofNullable(deadLetterOverflow);
    if (directory.isEmpty()) {
      return new LetterContents(Optional.empty());
    }
    CloudDefaults.openFileSystems(directory.get());
    try {
      return new LetterContents(Optional.of(Overflow.in(directory.get())));
    } catch (IllegalArgumentException e) {
      throw new CommandException("--deadLetterOverflow: " + e.getMessage(), e);
    }
  }
}
