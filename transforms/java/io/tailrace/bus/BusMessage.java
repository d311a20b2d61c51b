package io.tailrace.bus;

import java.util.Arrays;
import java.util.Objects;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.jspecify.annotations.Nullable;

/**
 * A message of a bus with the place it came from. Immutable, as long as nobody writes into its
 * arrays: they are handed out without a copy because this is the hot path.
 */
@DefaultCoder(BusMessageCoder.class)
public final class BusMessage {
  private final byte[] payload;
  private final byte[] key;
  private final String topic;
  private final int partition;
  private final long offset;
  private final String messageId;
  private final long publishedAt;
  private final String addressee;
  private final boolean endsBacklog;

  private BusMessage(
      byte[] payload,
      byte[] key,
      String topic,
      int partition,
      long offset,
      String messageId,
      long publishedAt,
      String addressee,
      boolean endsBacklog) {
    this.payload = Objects.requireNonNull(payload);
    this.key = Objects.requireNonNull(key);
    this.topic = Objects.requireNonNull(topic);
    this.partition = partition;
    this.offset = offset;
    this.messageId = Objects.requireNonNull(messageId);
    this.publishedAt = publishedAt;
    this.addressee = Objects.requireNonNull(addressee);
    this.endsBacklog = endsBacklog;
  }

  /**
   * Creates a message of a bus that numbers its messages.
   *
   * @param publishedAt microseconds since the epoch
   * @param addressee the one writer that the message is for; empty: for all
   */
  public static BusMessage numbered(
      byte[] payload,
      byte[] key,
      String topic,
      int partition,
      long offset,
      long publishedAt,
      String addressee) {
    return new BusMessage(
        payload, key, topic, partition, offset, "", publishedAt, addressee, false);
  }

  /** Returns the same message with the hint of {@link #endsBacklog}. */
  public BusMessage endingBacklog() {
    return new BusMessage(
        payload, key, topic, partition, offset, messageId, publishedAt, addressee, true);
  }

  /**
   * Creates a message of a bus that gives its messages ids.
   *
   * @param publishedAt microseconds since the epoch
   * @param addressee the one writer that the message is for; empty: for all
   */
  public static BusMessage identified(
      byte[] payload,
      byte[] key,
      String topic,
      String messageId,
      long publishedAt,
      String addressee) {
    return new BusMessage(payload, key, topic, -1, -1, messageId, publishedAt, addressee, false);
  }

  /** Returns the same message with another payload. */
  public BusMessage withPayload(byte[] other) {
    return new BusMessage(
        other, key, topic, partition, offset, messageId, publishedAt, addressee, endsBacklog);
  }

  static BusMessage of(
      byte[] payload,
      byte[] key,
      String topic,
      int partition,
      long offset,
      String messageId,
      long publishedAt,
      String addressee) {
    return new BusMessage(
        payload, key, topic, partition, offset, messageId, publishedAt, addressee, false);
  }

  /** Returns the bytes that were published; not to be written to. */
  public byte[] payload() {
    return payload;
  }

  /** Returns the message's key, empty when it has none; not to be written to. */
  public byte[] key() {
    return key;
  }

  /** Returns the topic or subscription. */
  public String topic() {
    return topic;
  }

  /** Returns the partition, -1 where a bus has none. */
  public int partition() {
    return partition;
  }

  /** Returns the offset in the partition, -1 where a bus has none. */
  public long offset() {
    return offset;
  }

  /** Returns the bus's id of the message; empty where a bus numbers its messages. */
  public String messageId() {
    return messageId;
  }

  /** Returns when the message was published, in microseconds since the epoch. */
  public long publishedAt() {
    return publishedAt;
  }

  /** Returns the one writer that the message is for (a replayed dead letter); empty: for all. */
  public String addressee() {
    return addressee;
  }

  /**
   * Returns whether nothing was known to wait behind this message when it was read: a hint that
   * what has been gathered is best written now. Not a part of the message: equality does not see
   * it, and a shuffle forgets it.
   */
  public boolean endsBacklog() {
    return endsBacklog;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof BusMessage that
        && partition == that.partition
        && offset == that.offset
        && publishedAt == that.publishedAt
        && topic.equals(that.topic)
        && messageId.equals(that.messageId)
        && addressee.equals(that.addressee)
        && Arrays.equals(key, that.key)
        && Arrays.equals(payload, that.payload);
  }

  @Override
  public int hashCode() {
    return Objects.hash(topic, partition, offset, messageId, publishedAt, Arrays.hashCode(payload));
  }

  /** Names the place of the message, never its content. */
  @Override
  public String toString() {
    return topic
        + (messageId.isEmpty() ? "[" + partition + "]@" + offset : " " + messageId)
        + " ("
        + payload.length
        + " bytes)";
  }
}
