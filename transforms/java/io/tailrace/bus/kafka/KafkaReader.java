package io.tailrace.bus.kafka;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.kafka.KafkaPart.Batch;
import io.tailrace.endpoint.Micros;
import java.io.IOException;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.beam.sdk.io.UnboundedSource;
import org.joda.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Reads a share of a topic's partitions, through a consumer that it shares with the other readers
 * of its thread. Offsets that are durable are committed at one of the next polls.
 */
final class KafkaReader extends UnboundedSource.UnboundedReader<List<BusMessage>> {
  private final KafkaSource source;
  private final KafkaPart part;
  private final SharedConsumer consumer;
  private Optional<Batch> batch = Optional.empty();

  KafkaReader(KafkaSource source, @Nullable KafkaMark mark) {
    this.source = source;
    this.part = new KafkaPart(source, mark);
    this.consumer = SharedConsumer.join(part);
  }

  @Override
  public boolean start() throws IOException {
    return advance();
  }

  @Override
  public boolean advance() throws IOException {
    // What was handed out has gone on, and must not be held any longer.
    batch = Optional.empty();
    batch = consumer.advance(part);
    return batch.isPresent();
  }

  @Override
  public Instant getWatermark() {
    return new Instant(consumer.watermark());
  }

  @Override
  public KafkaMark getCheckpointMark() {
    return consumer.mark(part);
  }

  @Override
  public List<BusMessage> getCurrent() {
    return batch.orElseThrow(NoSuchElementException::new).messages();
  }

  @Override
  public Instant getCurrentTimestamp() {
    return new Instant(
        Micros.toMillis(batch.orElseThrow(NoSuchElementException::new).earliestMicros()));
  }

  @Override
  public long getSplitBacklogBytes() {
    OptionalLong records = consumer.backlog(part);
    return records.isEmpty() ? BACKLOG_UNKNOWN : (long) (records.getAsLong() * part.averageBytes());
  }

  @Override
  public KafkaSource getCurrentSource() {
    return source;
  }

  /** Returns how often the consumer that it shares was polled. */
  long polls() {
    return consumer.polls();
  }

  @Override
  public void close() {
    batch = Optional.empty();
    consumer.leave(part);
  }
}
