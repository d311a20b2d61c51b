package io.tailrace.stage;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.v1.DeadLetter;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Source;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.io.fs.ResolveOptions.StandardResolveOptions;
import org.apache.beam.sdk.io.fs.ResourceId;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.util.MimeTypes;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;

/**
 * Publishes failures as {@code tailrace.v1.DeadLetter}s: with the reason, where the message came
 * from and its original bytes. A bundle ends when the bus has confirmed its letters, so none is
 * lost.
 *
 * <p>A message too large for the dead-letter topic goes to a file, and its letter points to that.
 * The file is named by the message's place, so a repeated bundle writes the same file again.
 */
public final class DeadLetters extends PTransform<PCollection<Failure>, PDone> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in metrics. */
  public static final String STAGE = "DeadLetters";

  /** Room for what a letter says beside the original bytes. */
  public static final int ENVELOPE_BYTES = 64 << 10;

  private final Bus bus;
  private final String writer;
  private final String sourceUri;
  private final int maxMessageBytes;
  // Empty: there is no place for larger ones.
  private final String overflow;

  private DeadLetters(
      Bus bus, String writer, String sourceUri, int maxMessageBytes, String overflow) {
    this.bus = bus;
    this.writer = writer;
    this.sourceUri = sourceUri;
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
    return new DeadLetters(bus, writer, source.name(), Integer.MAX_VALUE, "");
  }

  /**
   * Puts the original bytes into files where a letter would be larger than the topic takes.
   *
   * @param maxMessageBytes the largest message that the topic takes
   * @param directory where the files go: {@code gs://bucket/prefix}, {@code s3://bucket/prefix} or
   *     a local directory
   */
  public DeadLetters overflowingTo(int maxMessageBytes, Optional<String> directory) {
    return new DeadLetters(bus, writer, sourceUri, maxMessageBytes, directory.orElse(""));
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
            "original messages that were too large for the dead-letter bus and went to a file");
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
      };
    }
  }

  private static final class DescribeFn extends DoFn<Failure, OutgoingMessage> {
    private static final long serialVersionUID = 1;

    private final DeadLetters letters;
    private final Counts counts = new Counts();

    DescribeFn(DeadLetters letters) {
      this.letters = letters;
    }

    @StartBundle
    public void startBundle() {
      counts.clear();
    }

    @ProcessElement
    public void describe(@Element Failure failure, OutputReceiver<OutgoingMessage> out)
        throws IOException {
      counts.written.add(1);
      counts.ofReason(failure.reason()).add(1);
      BusMessage original = failure.original();
      DeadLetter.Builder letter =
          DeadLetter.newBuilder()
              .setWriter(letters.writer)
              .setStage(failure.stage())
              .setReason(failure.reason())
              .setRetryable(failure.retryable())
              .setField(failure.field())
              .setMessage(failure.message())
              .addAllCells(failure.cells())
              .setCellCount(failure.cellCount())
              .putAllReasons(failure.reasonsByName())
              .setFailedAt(Micros.now())
              .setAttempts(1)
              .setSource(
                  Source.newBuilder()
                      .setBus(letters.sourceUri)
                      .setTopic(original.topic())
                      .setPartition(original.partition())
                      .setOffset(original.offset())
                      .setMessageId(original.messageId())
                      .setKey(ByteString.copyFrom(original.key()))
                      .setPublishedAt(original.publishedAt()));
      if ((long) original.payload().length + ENVELOPE_BYTES > letters.maxMessageBytes
          && !letters.overflow.isEmpty()) {
        letter.setPayloadUri(store(original));
        counts.overflowFiles.add(1);
      } else {
        letter.setPayload(UnsafeByteOperations.unsafeWrap(original.payload()));
      }
      byte[] payload = letter.build().toByteArray();
      counts.bytesWritten.add(payload.length);
      out.output(OutgoingMessage.of(original.key(), payload));
    }

    @FinishBundle
    public void finishBundle() {
      counts.flush();
    }

    private String store(BusMessage original) throws IOException {
      ResourceId file =
          FileSystems.matchNewResource(letters.overflow, true)
              .resolve(
                  original.topic()
                      + "-"
                      + (original.messageId().isEmpty()
                          ? original.partition() + "-" + original.offset()
                          : original.messageId()),
                  StandardResolveOptions.RESOLVE_FILE);
      try (WritableByteChannel channel = FileSystems.create(file, MimeTypes.BINARY)) {
        ByteBuffer bytes = ByteBuffer.wrap(original.payload());
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      }
      return file.toString();
    }
  }
}
