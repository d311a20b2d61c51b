package io.tailrace.testing;

import io.tailrace.bus.BusMessage;
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
    return BusMessage.numbered(
        payload, "key".getBytes(StandardCharsets.UTF_8), TOPIC, 0, 1, publishedAtMicros, "");
  }
}
