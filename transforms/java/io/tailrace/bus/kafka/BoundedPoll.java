package io.tailrace.bus.kafka;

import io.tailrace.bus.BusMessage;
import java.nio.ByteBuffer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Bounds what one poll brings, in bytes that were decompressed, as {@link BusMessage#heldBytes}
 * counts them: Kafka's own limits count compressed ones, of which 2 MB may be gigabytes. What is
 * beyond the limit is dropped while the consumer unpacks it, record by record, and has to be asked
 * for again: see {@link #isDropped}. A record that is larger than the limit comes alone.
 *
 * <p>Kafka unpacks a record that has neither key nor value without a call of this: {@link PollSize}
 * sees what they were when the poll is over. Used by one thread.
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
    long size = data.remaining();
    if (headers != ofRecord) {
      headers = ofRecord;
      records++;
      size += BusMessage.OVERHEAD;
      for (Header header : ofRecord.toArray()) {
        // Both are read here: a header that was not looked at holds all bytes of its record.
        size += io.tailrace.bus.Header.heldBytes(header.key(), header.value());
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
