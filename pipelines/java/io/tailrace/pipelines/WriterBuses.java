package io.tailrace.pipelines;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.stage.DeadLetters;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The bus that a writer reads and the one for its dead letters, which every writer has.
 *
 * @param deadLetters publishes the writer's dead letters
 */
record WriterBuses(Bus source, DeadLetters deadLetters) {
  /** Kafka's default, for a dead-letter topic whose settings may not be seen. */
  private static final int UNKNOWN_MAX_MESSAGE_BYTES = 1_048_588;

  private static final String LETTERS = "deadLetterBus";

  /** Looks at the options; what it returns is to be asked for when all are right. */
  static Supplier<WriterBuses> parse(
      Writer<?> writer, @Nullable String sourceUri, WriterOptions options, OptionCheck check) {
    Optional<Bus> source = check.readable(writer.reads(), sourceUri, writer.name());
    Optional<Bus> letters = check.writable(LETTERS, options.getDeadLetterBus());
    Optional<String> overflow =
        Optional.ofNullable(options.getDeadLetterOverflow()).filter(it -> !it.isBlank());
    return () -> {
      int maxLetterBytes =
          check.facts(LETTERS).flatMap(BusFacts::maxMessageBytes).orElse(UNKNOWN_MAX_MESSAGE_BYTES);
      if (overflow.isEmpty()) {
        checkSize(writer.reads(), maxLetterBytes, check);
      }
      return new WriterBuses(
          check.found(writer.reads()).or(() -> source).orElseThrow(),
          DeadLetters.to(letters.orElseThrow(), writer.name(), source.orElseThrow())
              .overflowingTo(maxLetterBytes, overflow));
    };
  }

  private static void checkSize(String sourceOption, int maxLetterBytes, OptionCheck check) {
    check
        .facts(sourceOption)
        .flatMap(BusFacts::maxMessageBytes)
        .filter(max -> check.facts(LETTERS).isPresent() && max > maxLetterBytes)
        .ifPresent(
            max ->
                check.problem(
                    "--deadLetterBus takes messages of "
                        + maxLetterBytes
                        + " bytes and --"
                        + sourceOption
                        + " of "
                        + max
                        + ": give larger ones a place with --deadLetterOverflow=DIRECTORY, or raise"
                        + " max.message.bytes of the dead-letter topic"));
  }
}
