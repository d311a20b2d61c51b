package io.tailrace.bus.kafka;

import java.nio.ByteBuffer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Bounds what one poll brings, in bytes that were decompressed: Kafka's own limits count compressed
 * ones, of which 2 MB may be gigabytes. What is beyond the limit is dropped while the consumer
 * unpacks it, record by record, and has to be asked for again: see {@link #isDropped}. A record
 * that is larger than the limit comes alone. Used by one thread.
 */
final class BoundedPoll implements Deserializer<byte[]> {
  /** Stands for bytes that were dropped. */
  private static final byte[] DROPPED = {};

  private final long limit;
  private long bytes;
  private boolean dropped;
  private int records;
  // Of the record at hand: a key and its value have the same.
  private @Nullable Headers headers;

  BoundedPoll(long limit) {
    this.limit = limit;
  }

  /** Begins a poll. */
  void begin() {
    bytes = 0;
    dropped = false;
    records = 0;
    headers = null;
  }

  /** Returns whether something was dropped since the poll began. */
  boolean hasDropped() {
    return dropped;
  }

  static boolean isDropped(byte @Nullable [] bytes) {
    return bytes == DROPPED;
  }

  /** Called with a record's key, then with its value, unless they are null. */
  @Override
  public byte[] deserialize(String topic, Headers ofRecord, ByteBuffer data) {
    if (dropped) {
      forget(ofRecord);
      return DROPPED;
    }
    int size = data.remaining();
    if (headers != ofRecord) {
      headers = ofRecord;
      records++;
      for (Header header : ofRecord.toArray()) {
        // Both are read here: a header that was not looked at holds all bytes of its record.
        size += header.key().length() + (header.value() == null ? 0 : header.value().length);
      }
    }
    if (records > 1 && bytes + size > limit) {
      dropped = true;
      forget(ofRecord);
      return DROPPED;
    }
    bytes += size;
    byte[] copy = new byte[data.remaining()];
    data.get(copy);
    return copy;
  }

  private static void forget(Headers ofRecord) {
    for (Header header : ofRecord.toArray()) {
      var unused = ofRecord.remove(header.key());
    }
  }

  @Override
  public byte[] deserialize(String topic, byte[] data) {
    throw new UnsupportedOperationException("a consumer gives buffers");
  }

  @Override
  public String toString() {
    return "at most " + limit + " bytes";
  }
}
