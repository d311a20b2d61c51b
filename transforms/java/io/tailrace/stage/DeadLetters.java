package io.tailrace.stage;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.Bus;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.jspecify.annotations.Nullable;

/**
 * Publishes failures as dead letters: the original message, whose headers say besides why it was
 * refused and where it came from ({@link Letter}). A bundle ends when the bus has confirmed its
 * letters, so none is lost.
 *
 * <p>Every letter fits into the dead-letter topic, whatever the message is like: what there is no
 * room for goes to a file ({@link Overflow}), and without a place for files is left out, which the
 * letter says.
 */
public final class DeadLetters extends PTransform<PCollection<Failure>, PDone> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in metrics. */
  public static final String STAGE = "DeadLetters";

  /** What a dead-letter topic must take: a letter says much of itself. */
  public static final int LEAST_MESSAGE_BYTES = LetterCutter.LEAST_BYTES;

  private final Bus bus;
  private final String writer;
  private final Bus source;
  private final int maxMessageBytes;
  // Null: there is no place for what has no room. An Optional is not serializable.
  private final @Nullable Overflow overflow;

  private DeadLetters(
      Bus bus, String writer, Bus source, int maxMessageBytes, @Nullable Overflow overflow) {
    this.bus = bus;
    this.writer = writer;
    this.source = source;
    this.maxMessageBytes = maxMessageBytes;
    this.overflow = overflow;
  }

  /**
   * Publishes to a bus.
   *
   * @param bus the dead-letter topic
   * @param writer the writer whose failures these are
   * @param source the bus that its messages came from
   */
  public static DeadLetters to(Bus bus, String writer, Bus source) {
    return new DeadLetters(bus, writer, source, Integer.MAX_VALUE, null);
  }

  /**
   * Leaves out of a letter what there is no room for.
   *
   * @param maxMessageBytes the largest message that the topic takes, {@link #LEAST_MESSAGE_BYTES}
   *     at least
   * @param overflow where that goes
   */
  public DeadLetters overflowingTo(int maxMessageBytes, Optional<Overflow> overflow) {
    if (maxMessageBytes < LEAST_MESSAGE_BYTES) {
      throw new IllegalArgumentException(
          "a dead-letter topic must take messages of "
              + LEAST_MESSAGE_BYTES
              + " bytes, not of "
              + maxMessageBytes);
    }
    return new DeadLetters(bus, writer, source, maxMessageBytes, overflow.orElse(null));
  }

  @Override
  public PDone expand(PCollection<Failure> failures) {
    return failures.apply("Describe", ParDo.of(new DescribeFn(this))).apply("Publish", bus.write());
  }

  /** Returns the name of the counter of letters with a reason. */
  public static String counter(Reason reason) {
    return "dead_letters_" + reason.name().toLowerCase(Locale.ROOT);
  }

  /** What this stage counts. */
  static final class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    final Count written = count("letters_written", "messages", "dead letters, whatever the reason");
    final Count bytesWritten = count("bytes_written", "bytes", "those letters");
    final Count overflowFiles =
        count(
            "overflow_files_written",
            "files",
            "files with what of a message was too large for the dead-letter bus");
    private final Map<Reason, Count> byReason = new EnumMap<>(Reason.class);

    Counts() {
      super(STAGE);
      for (Reason reason : Reason.values()) {
        if (reason != Reason.UNRECOGNIZED) {
          byReason.put(reason, count(counter(reason), "messages", words(reason)));
        }
      }
    }

    Count ofReason(Reason reason) {
      // A reason of a later version comes from a restored state.
      return requireNonNull(byReason.getOrDefault(reason, byReason.get(Reason.REASON_UNSPECIFIED)));
    }

    private static String words(Reason reason) {
      return switch (reason) {
        case REASON_UNSPECIFIED, UNRECOGNIZED -> "of no known reason";
        case UNDECODABLE -> "not a message of the contract";
        case MISSING_FIELD -> "a required field is missing or empty";
        case LENGTH_MISMATCH -> "lengths of keys, times, nulls and values do not agree";
        case UNKNOWN_TYPE -> "a type or enum value that this version does not know";
        case INVALID_VALUE -> "a value that is not allowed";
        case OBSERVED_IN_FUTURE -> "observed further after publication than clocks may differ";
        case REJECTED_BY_STORE -> "the store can't hold the content";
        case UNKNOWN_ENVIRONMENT -> "of an environment that is not served";
        case TYPE_CHANGED -> "the feature's table holds another type";
        case NAME_TAKEN -> "the table of the feature's name is another feature's";
        case TOO_LARGE -> "larger than the next bus, or the writer's memory, allows";
        case TABLE_REFUSES -> "the feature's table refuses rows while others take theirs";
        case TOO_OLD -> "a replayed message from before a time of which deletions are remembered";
        case MISSING_FILE ->
            "a file that the message names is not there, not readable, or not as it was";
      };
    }
  }

  private static final class DescribeFn extends DoFn<Failure, OutgoingMessage> {
    private static final long serialVersionUID = 1;

    private final DeadLetters letters;
    private final Counts counts = new Counts();
    private transient @Nullable LetterCutter cutter;

    DescribeFn(DeadLetters letters) {
      this.letters = letters;
    }

    /** Looks whether files can be written from here: the first large message is too late. */
    @Setup
    public void setUp() throws UnavailableException {
      if (letters.overflow != null) {
        letters.overflow.check();
      }
      cutter =
          new LetterCutter(
              letters.writer,
              letters.source.group(letters.writer),
              letters.source.publishesTo(),
              new LetterCutter.Topic(letters.maxMessageBytes, letters.bus::takes),
              Optional.ofNullable(letters.overflow));
    }

    @StartBundle
    public void startBundle() {
      counts.clear();
    }

    @ProcessElement
    public void describe(@Element Failure failure, OutputReceiver<OutgoingMessage> out)
        throws IOException {
      LetterCutter.Cut cut = requireNonNull(cutter).letter(failure);
      counts.written.add(1);
      counts.bytesWritten.add(cut.bytes());
      counts.ofReason(cut.reason()).add(1);
      counts.overflowFiles.add(cut.toFile() ? 1 : 0);
      out.output(cut.letter());
    }

    @FinishBundle
    public void finishBundle() {
      counts.finish();
    }
  }
}
