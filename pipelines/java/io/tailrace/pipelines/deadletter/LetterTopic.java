package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.bus.Buses;
import io.tailrace.pipelines.BucketOptions;
import io.tailrace.pipelines.CloudDefaults;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningStack;
import io.tailrace.stage.Overflow;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

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
              + " is read or deleted, whatever a letter says. Beam's options of a bucket, such as"
              + " --awsRegion, --endpoint or --gcsEndpoint, are taken as the writers have them."
              + " Default: that of the 'local'.")
  private @Nullable String deadLetterOverflow;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

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
    String[] ofBucket = BucketOptions.given(command);
    if (directory.isEmpty()) {
      if (ofBucket.length > 0) {
        throw new ParameterException(
            command.commandLine(),
            ofBucket[0].replaceFirst("=.*", "")
                + " is an option of the bucket with large letters: say which that is, with"
                + " --deadLetterOverflow=s3://bucket/prefix or gs://bucket/prefix");
      }
      return new LetterContents(Optional.empty());
    }
    CloudDefaults.openFileSystems(ofBucket, directory.get());
    try {
      Overflow overflow = Overflow.in(directory.get());
      if (overflow.isMissing()) {
        throw new CommandException(
            "--deadLetterOverflow: there is no directory "
                + directory.get()
                + " on this machine: give it as the writers have it");
      }
      return new LetterContents(Optional.of(overflow));
    } catch (IllegalArgumentException e) {
      throw new CommandException("--deadLetterOverflow: " + e.getMessage(), e);
    }
  }
}
