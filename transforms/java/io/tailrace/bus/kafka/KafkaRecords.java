package io.tailrace.bus.kafka;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.io.kafka.KafkaRecord;
import org.apache.beam.sdk.io.kafka.KafkaTimestampType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/** Turns headers and messages into Kafka's and back. Stateless and thread-safe. */
final class KafkaRecords {
  /** The end of the year 9999. */
  private static final long LATEST_MILLIS = 253_402_300_799_999L;

  private KafkaRecords() {}

  /**
   * Returns what a consumer has read.
   *
   * @param topicId the id of the topic, empty where it is not known
   */
  static BusMessage message(ConsumerRecord<byte[], byte[]> record, String topicId) {
    return BusMessage.of(
        record.value(),
        record.key(),
        new Place(record.topic(), topicId, record.partition(), record.offset(), ""),
        time(record.timestamp(), record.timestampType() == TimestampType.LOG_APPEND_TIME),
        headers(record.headers()));
  }

  /**
   * Returns what {@code KafkaIO} has read.
   *
   * @param topicId the id of the topic, empty where it is not known
   */
  static BusMessage message(KafkaRecord<byte[], byte[]> record, String topicId) {
    return BusMessage.of(
        record.getKV().getValue(),
        record.getKV().getKey(),
        new Place(record.getTopic(), topicId, record.getPartition(), record.getOffset(), ""),
        time(
            record.getTimestamp(), record.getTimestampType() == KafkaTimestampType.LOG_APPEND_TIME),
        record.getHeaders() == null ? Headers.NONE : headers(record.getHeaders()));
  }

  private static MessageTime time(long millis, boolean isOfBroker) {
    long micros = Micros.ofMillis(timestamp(millis));
    return isOfBroker ? MessageTime.ofBus(micros) : MessageTime.ofPublisher(micros);
  }

  /** Publishers may stamp anything, even what no runner takes for a time. */
  static long timestamp(long millis) {
    return Math.max(-1, Math.min(millis, LATEST_MILLIS));
  }

  static Headers headers(org.apache.kafka.common.header.Headers theirs) {
    org.apache.kafka.common.header.Header[] all = theirs.toArray();
    if (all.length == 0) {
      return Headers.NONE;
    }
    List<Header> headers = new ArrayList<>(all.length);
    for (org.apache.kafka.common.header.Header each : all) {
      headers.add(new Header(each.key(), each.value()));
    }
    return Headers.of(headers);
  }

  /** Returns what a producer takes, for the partition of its key. */
  static ProducerRecord<byte[], byte[]> record(String topic, OutgoingMessage message) {
    return record(topic, null, message);
  }

  /**
   * Returns what a producer takes.
   *
   * @param partition null: that of the key
   */
  static ProducerRecord<byte[], byte[]> record(
      String topic, @Nullable Integer partition, OutgoingMessage message) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(topic, partition, message.key(), message.payload());
    message.headers().all().forEach(each -> record.headers().add(each.name(), each.value()));
    return record;
  }
}
