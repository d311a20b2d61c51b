package io.tailrace.bus.directory;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.bus.PresentBuses;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.SerializableCoder;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.beam.sdk.options.PipelineOptions;
import org.joda.time.Instant;
import org.jspecify.annotations.Nullable;

/** Reads a directory, a reader for each partition. */
final class DirectorySource extends UnboundedSource<BusMessage, DirectorySource.Mark> {
  private static final long serialVersionUID = 1;

  private final DirectoryBus bus;
  private final String group;
  private final String present;
  private final int partition;

  DirectorySource(DirectoryBus bus, String group, String present) {
    this(bus, group, present, -1);
  }

  private DirectorySource(DirectoryBus bus, String group, String present, int partition) {
    this.bus = bus;
    this.group = group;
    this.present = present;
    this.partition = partition;
  }

  @Override
  public List<DirectorySource> split(int desired, PipelineOptions options) {
    return partition >= 0
        ? List.of(this)
        : bus.files().partitions().stream()
            .map(each -> new DirectorySource(bus, group, present, each))
            .toList();
  }

  @Override
  public UnboundedReader<BusMessage> createReader(PipelineOptions options, @Nullable Mark mark)
      throws IOException {
    if (partition < 0) {
      throw new IllegalStateException("a runner splits a source before it reads");
    }
    DirectoryBus now = PresentBuses.of(options, present, bus);
    return new Reader(
        new DirectorySource(now, group, present, partition),
        mark == null || !now.topic().equals(bus.topic())
            ? now.files().acknowledged(group, partition)
            : mark.next);
  }

  @Override
  public Coder<Mark> getCheckpointMarkCoder() {
    return SerializableCoder.of(Mark.class);
  }

  @Override
  public Coder<BusMessage> getOutputCoder() {
    return BusMessageCoder.of();
  }

  /** The number of the message that is to be read next. */
  static final class Mark implements UnboundedSource.CheckpointMark, Serializable {
    private static final long serialVersionUID = 1;

    private final DirectorySource source;
    private final long next;

    Mark(DirectorySource source, long next) {
      this.source = source;
      this.next = next;
    }

    @Override
    public void finalizeCheckpoint() throws IOException {
      source.bus.files().acknowledge(source.group, source.partition, next);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Mark that && next == that.next;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(next);
    }
  }

  private static final class Reader extends UnboundedReader<BusMessage> {
    private final DirectorySource source;
    private final DirectoryTopic topic;
    private long next;
    private Optional<BusMessage> current = Optional.empty();
    private Instant watermark = Instant.EPOCH;

    Reader(DirectorySource source, long next) {
      this.source = source;
      this.topic = source.bus.files();
      this.next = next;
    }

    @Override
    public boolean start() throws IOException {
      return advance();
    }

    @Override
    public boolean advance() throws IOException {
      Instant before = Instant.now();
      current = topic.read(source.partition, next);
      watermark = current.map(Reader::time).orElse(before);
      next += current.isPresent() ? 1 : 0;
      return current.isPresent();
    }

    private static Instant time(BusMessage message) {
      return Instant.ofEpochMilli(message.publishedAt() / 1_000);
    }

    @Override
    public BusMessage getCurrent() {
      return current.orElseThrow(NoSuchElementException::new);
    }

    @Override
    public Instant getCurrentTimestamp() {
      return time(getCurrent());
    }

    @Override
    public Instant getWatermark() {
      return watermark;
    }

    @Override
    public Mark getCheckpointMark() {
      return new Mark(source, next);
    }

    @Override
    public DirectorySource getCurrentSource() {
      return source;
    }

    @Override
    public void close() {}
  }
}
