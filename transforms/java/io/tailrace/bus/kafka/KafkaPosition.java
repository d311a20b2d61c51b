package io.tailrace.bus.kafka;

import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/**
 * What is to be read next of a partition.
 *
 * @param offset of the next record
 * @param epoch of the leader that the record before came from: tells when that leader's records
 *     were taken back; -1 where it is not known
 */
record KafkaPosition(long offset, int epoch) {
  /** The epoch that is not known. */
  static final int NO_EPOCH = -1;

  static KafkaPosition at(long offset) {
    return new KafkaPosition(offset, NO_EPOCH);
  }

  static KafkaPosition after(ConsumerRecord<?, ?> record) {
    return new KafkaPosition(record.offset() + 1, record.leaderEpoch().orElse(NO_EPOCH));
  }

  static KafkaPosition of(OffsetAndMetadata committed) {
    return new KafkaPosition(committed.offset(), committed.leaderEpoch().orElse(NO_EPOCH));
  }

  OffsetAndMetadata with(String metadata) {
    return new OffsetAndMetadata(
        offset, epoch < 0 ? Optional.empty() : Optional.of(epoch), metadata);
  }
}
