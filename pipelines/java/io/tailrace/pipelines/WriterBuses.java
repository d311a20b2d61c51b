package io.tailrace.pipelines;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusFacts;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.BusReading;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.stage.DeadLetters;
import io.tailrace.stage.Overflow;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.beam.sdk.io.FileSystems;
import org.jspecify.annotations.Nullable;

/**
 * The bus that a writer reads and the one for its dead letters, which every writer has.
 *
 * @param deadLetters publishes the writer's dead letters
 */
record WriterBuses(Bus source, DeadLetters deadLetters) {
  /** Kafka's default, for a dead-letter topic whose settings may not be seen. */
  private static final int UNKNOWN_MAX_MESSAGE_BYTES = 1_048_588;

  private static final TextForm<BusReading> READER =
      TextForm.oneOf(
          Arrays.stream(BusReading.values()).map(BusReading::toString).toList(), BusReading::named);

  private static final String LETTERS = "deadLetterBus";
  private static final String OVERFLOW = "deadLetterOverflow";

  /** Looks at the options; what it returns is to be asked for when all are right. */
  static Supplier<WriterBuses> parse(
      Writer<?> writer, @Nullable String sourceUri, WriterOptions options, OptionCheck check) {
    Optional<Bus> source = check.readable(writer.reads(), sourceUri, writer.name());
    Optional<Bus> letters = check.writable(LETTERS, options.getDeadLetterBus());
    Optional<Overflow> overflow = overflow(options, check);
    Optional<BusReading> reading = check.optional("busReader", options.getBusReader(), READER);
    source
        .flatMap(bus -> reading.flatMap(bus::refusal))
        .ifPresent(why -> check.problem("--" + writer.reads() + ": " + why));
    return () -> {
      int most =
          check.facts(LETTERS).flatMap(BusFacts::maxMessageBytes).orElse(UNKNOWN_MAX_MESSAGE_BYTES);
      if (most < DeadLetters.LEAST_MESSAGE_BYTES) {
        check.problem(
            "--deadLetterBus takes messages of "
                + most
                + " bytes, which is too little for what a letter says: raise max.message.bytes of"
                + " the topic to "
                + DeadLetters.LEAST_MESSAGE_BYTES
                + " at least");
      } else if (options.getDeadLetterOverflow() == null) {
        check.warning(
            "--deadLetterOverflow is not given: of a message that is larger than the "
                + most
                + " bytes that --deadLetterBus takes, its letter says only where it was. Name a"
                + " directory for such messages");
      }
      // Once it was found it knows where its messages are published.
      Bus found = found(writer, source.orElseThrow(), options, check);
      return new WriterBuses(
          found,
          DeadLetters.to(letters.orElseThrow(), writer.name(), found)
              .overflowingTo(Math.max(most, DeadLetters.LEAST_MESSAGE_BYTES), overflow));
    };
  }

  /** Looks whose the group is, and where reading would begin. */
  private static Bus found(Writer<?> writer, Bus source, WriterOptions options, OptionCheck check) {
    if (check.hasProblems()) {
      return source;
    }
    try {
      return source.found(
          new BusReader(
              writer.name(),
              writer.name(),
              check.identity(LETTERS),
              options.isAdoptGroup(),
              writer.isAlone()));
    } catch (UnavailableException e) {
      check.problem("--" + writer.reads() + ": " + e.getMessage());
      return source;
    }
  }

  private static Optional<Overflow> overflow(WriterOptions options, OptionCheck check) {
    if (options.getDeadLetterOverflow() != null) {
      // Beam's file systems are those of the options.
      FileSystems.setDefaultPipelineOptions(options);
    }
    Optional<Overflow> overflow =
        check.optional(OVERFLOW, options.getDeadLetterOverflow(), Overflow::in);
    if (overflow.isPresent() && overflow.get().isLocal() && Workers.areElsewhere(options)) {
      check.problem(
          "--deadLetterOverflow: '"
              + overflow.get()
              + "' is a directory of this machine, and the writer runs on others, whose disks may"
              + " vanish with them: use gs://bucket/prefix or s3://bucket/prefix");
    } else if (overflow.isPresent() && !Workers.areElsewhere(options)) {
      // Elsewhere the workers look themselves, before they read: only they need the right.
      check.question(OVERFLOW, overflow.get()::check);
    }
    return overflow;
  }
}
