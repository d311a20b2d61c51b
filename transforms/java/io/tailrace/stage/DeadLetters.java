package io.tailrace.stage;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.v1.DeadLetter;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Source;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.io.fs.ResolveOptions.StandardResolveOptions;
import org.apache.beam.sdk.io.fs.ResourceId;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
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

  private static final class DescribeFn extends DoFn<Failure, OutgoingMessage> {
    private static final long serialVersionUID = 1;

    private final DeadLetters letters;
    private final Counter described = Metrics.counter(STAGE, "letters_written");
    private final Counter bytes = Metrics.counter(STAGE, "bytes_written");
    private final Counter overflowed = Metrics.counter(STAGE, "overflow_files_written");
    private final Map<Reason, Counter> byReason = new EnumMap<>(Reason.class);

    private transient Map<Reason, Long> describedInBundle;
    private transient long bytesInBundle;
    private transient long overflowedInBundle;

    DescribeFn(DeadLetters letters) {
      this.letters = letters;
      for (Reason reason : Reason.values()) {
        if (reason != Reason.UNRECOGNIZED) {
          byReason.put(reason, Metrics.counter(STAGE, counter(reason)));
        }
      }
    }

    @StartBundle
    public void startBundle() {
      describedInBundle = new EnumMap<>(Reason.class);
      bytesInBundle = 0;
      overflowedInBundle = 0;
    }

    @ProcessElement
    public void describe(@Element Failure failure, OutputReceiver<OutgoingMessage> out)
        throws IOException {
      describedInBundle.merge(failure.reason(), 1L, Long::sum);
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
              .setFailedAt(micros(Instant.now()))
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
        overflowedInBundle++;
      } else {
        letter.setPayload(UnsafeByteOperations.unsafeWrap(original.payload()));
      }
      byte[] payload = letter.build().toByteArray();
      bytesInBundle += payload.length;
      out.output(new OutgoingMessage(original.key(), payload, Map.of()));
    }

    @FinishBundle
    public void finishBundle() {
      byReason.forEach(
          (reason, counter) -> counter.inc(describedInBundle.getOrDefault(reason, 0L)));
      described.inc(describedInBundle.values().stream().mapToLong(Long::longValue).sum());
      bytes.inc(bytesInBundle);
      overflowed.inc(overflowedInBundle);
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

    private static long micros(Instant instant) {
      return instant.getEpochSecond() * 1_000_000L + instant.getNano() / 1_000;
    }
  }
}
