package io.tailrace.bus.kafka;

import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Turns headers and messages into Kafka's and back. Stateless and thread-safe. */
final class KafkaRecords {
  private KafkaRecords() {}

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

  static ProducerRecord<byte[], byte[]> record(String topic, OutgoingMessage message) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(topic, message.key(), message.payload());
    message.headers().all().forEach(each -> record.headers().add(each.name(), each.value()));
    return record;
  }
}
