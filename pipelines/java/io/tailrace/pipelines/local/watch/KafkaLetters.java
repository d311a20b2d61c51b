package io.tailrace.pipelines.local.watch;

import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.stage.Letter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Reads dead letters from records of Kafka. Stateless and thread-safe. */
public final class KafkaLetters {
  private KafkaLetters() {}

  /** Returns the letter that a record is, if it is one. */
  public static Optional<Letter> of(ConsumerRecord<byte[], byte[]> record) {
    List<Header> headers = new ArrayList<>();
    record.headers().forEach(each -> headers.add(new Header(each.key(), each.value())));
    return Letter.of(Headers.of(headers));
  }
}
