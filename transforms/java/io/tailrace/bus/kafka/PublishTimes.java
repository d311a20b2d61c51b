package io.tailrace.bus.kafka;

import io.tailrace.endpoint.Micros;
import java.util.Optional;
import org.apache.beam.sdk.io.kafka.KafkaRecord;
import org.apache.beam.sdk.io.kafka.TimestampPolicy;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.joda.time.Instant;

/**
 * The event times of what {@code KafkaIO} reads of a partition: a message has its publish time, and
 * the watermark follows the least of the last ones in a backlog, and the clock where nothing waits.
 * Not thread-safe.
 */
final class PublishTimes extends TimestampPolicy<byte[], byte[]> {
  /** How far event time stays behind the clock. */
  private static final long DELAY_MILLIS = 2_000;

  private final LeastTimes times = new LeastTimes();
  private long watermarkMillis;

  /**
   * Starts where a partition is read.
   *
   * @param before what was reached before
   */
  PublishTimes(Optional<Instant> before) {
    this.watermarkMillis = before.orElse(BoundedWindow.TIMESTAMP_MIN_VALUE).getMillis();
  }

  @Override
  public Instant getTimestampForRecord(
      PartitionContext partition, KafkaRecord<byte[], byte[]> record) {
    times.add(KafkaRecords.timestamp(record.getTimestamp()), 1);
    // A replayed message has its original's time, and nothing may be put out before its element.
    return new Instant(Micros.toMillis(KafkaRecords.message(record, "").time().micros()));
  }

  @Override
  public Instant getWatermark(PartitionContext partition) {
    long reached = times.get().orElse(Long.MIN_VALUE);
    if (partition.getMessageBacklog() == 0) {
      // Not the present clock: what was published since has not been asked for.
      reached = Math.max(reached, partition.getBacklogCheckTime().getMillis() - DELAY_MILLIS);
    }
    reached = Math.min(reached, System.currentTimeMillis() - DELAY_MILLIS);
    watermarkMillis = Math.max(watermarkMillis, reached);
    return new Instant(watermarkMillis);
  }
}
