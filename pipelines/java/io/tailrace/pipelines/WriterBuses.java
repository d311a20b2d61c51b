package io.tailrace.pipelines;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.Buses;
import io.tailrace.stage.DeadLetters;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The bus that a writer reads and the one for its dead letters, looked at before it starts. */
final class WriterBuses {
  /** Kafka's default, for a dead-letter topic whose settings may not be seen. */
  private static final int UNKNOWN_MAX_MESSAGE_BYTES = 1_048_588;

  private final String writer;
  private final String sourceOption;
  private final Optional<Bus> source;
  private final Optional<Bus> deadLetterBus;
  private final Optional<String> overflow;
  private final Set<String> environments;
  private Optional<BusFacts> sourceFacts = Optional.empty();
  private Optional<BusFacts> letterFacts = Optional.empty();

  /**
   * Looks at the options alone.
   *
   * @param sourceOption the name of the option that names the bus to read
   */
  WriterBuses(
      OptionCheck check,
      String writer,
      String sourceOption,
      @Nullable String sourceUri,
      WriterOptions options) {
    this.writer = writer;
    this.sourceOption = sourceOption;
    source = check.required(sourceOption, sourceUri, Buses::at);
    deadLetterBus = check.required("deadLetterBus", options.getDeadLetterBus(), Buses::at);
    overflow = Optional.ofNullable(options.getDeadLetterOverflow()).filter(it -> !it.isBlank());
    environments =
        options.getEnvironments() == null ? Set.of() : Set.copyOf(options.getEnvironments());
  }

  /** Asks the buses. */
  void ask(OptionCheck check) {
    sourceFacts = source.flatMap(bus -> check.ask(sourceOption, () -> bus.checkReadable(writer)));
    letterFacts = deadLetterBus.flatMap(bus -> check.ask("deadLetterBus", bus::checkWritable));
    sourceFacts
        .flatMap(BusFacts::maxMessageBytes)
        .filter(max -> letterFacts.isPresent() && max > maxLetterBytes() && overflow.isEmpty())
        .ifPresent(
            max ->
                check.problem(
                    "--deadLetterBus takes messages of "
                        + maxLetterBytes()
                        + " bytes and --"
                        + sourceOption
                        + " of "
                        + max
                        + ": give larger ones a place with --deadLetterOverflow=DIRECTORY, or raise"
                        + " max.message.bytes of the dead-letter topic"));
  }

  private int maxLetterBytes() {
    return letterFacts.flatMap(BusFacts::maxMessageBytes).orElse(UNKNOWN_MAX_MESSAGE_BYTES);
  }

  /** Returns the bus to read. */
  Bus source() {
    return source.orElseThrow();
  }

  /** Returns what the bus to read says of itself; empty before it was asked. */
  Optional<BusFacts> sourceFacts() {
    return sourceFacts;
  }

  /** Returns what the bus for dead letters says of itself; empty before it was asked. */
  Optional<BusFacts> letterFacts() {
    return letterFacts;
  }

  /** Returns the environments to serve; empty: all. */
  Set<String> environments() {
    return environments;
  }

  /** Returns the transform that publishes the writer's dead letters. */
  DeadLetters deadLetters() {
    return DeadLetters.to(deadLetterBus.orElseThrow(), writer, source())
        .overflowingTo(maxLetterBytes(), overflow);
  }
}
