package io.tailrace.testing;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.bus.Replayed;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;

/** Makes messages of the result bus for tests. */
public final class Messages {
  /** The topic that messages come from. */
  public static final String TOPIC = "result-bus";

  private Messages() {}

  /** Returns the message of a result, published at a time in microseconds since the epoch. */
  public static BusMessage of(QueryResult result, long publishedAtMicros) {
    return of(result.toByteArray(), publishedAtMicros);
  }

  /** Returns a message of any bytes, published at a time in microseconds since the epoch. */
  public static BusMessage of(byte[] payload, long publishedAtMicros) {
    return BusMessage.of(
        payload,
        "key".getBytes(StandardCharsets.UTF_8),
        Place.numbered(TOPIC, 0, 1),
        MessageTime.ofBus(publishedAtMicros),
        Headers.NONE);
  }

  /** Returns the headers of a dead letter of a writer, as far as they say whom it is for. */
  public static Headers letterOf(String writer) {
    return Headers.of(
        Header.of(Replayed.WRITER, writer), Header.of(Replayed.FAILED_AT, "2026-01-31T12:00:00Z"));
  }
}
