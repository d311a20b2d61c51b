package io.tailrace.bus;

import io.tailrace.endpoint.Micros;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.jspecify.annotations.Nullable;

/**
 * A message of a bus with the place it came from, its time and its headers. Immutable, as long as
 * nobody writes into its arrays: they are handed out without a copy because this is the hot path.
 */
@DefaultCoder(BusMessageCoder.class)
public final class BusMessage {
  /** What a message takes beside its payload, its key and its headers, in bytes, roughly. */
  public static final int OVERHEAD = 150;

  private static final byte[] NOTHING = {};

  private final byte @Nullable [] payload;
  private final byte @Nullable [] key;
  private final Place place;
  private final MessageTime ownTime;
  private final Headers headers;
  // Of the headers.
  private final Optional<Replayed> replayed;
  private final boolean endsBacklog;

  private BusMessage(
      byte @Nullable [] payload,
      byte @Nullable [] key,
      Place place,
      MessageTime time,
      Headers headers) {
    this.payload = payload;
    this.key = key;
    this.place = Objects.requireNonNull(place);
    this.ownTime = Objects.requireNonNull(time);
    this.headers = headers;
    this.replayed = Replayed.of(headers);
    this.endsBacklog = false;
  }

  private BusMessage(BusMessage other, byte @Nullable [] payload, boolean endsBacklog) {
    this.payload = payload;
    this.key = other.key;
    this.place = other.place;
    this.ownTime = other.ownTime;
    this.headers = other.headers;
    this.replayed = other.replayed;
    this.endsBacklog = endsBacklog;
  }

  /**
   * Creates a message.
   *
   * @param payload the bytes; null where the bus has none, which is not the same as no bytes
   * @param key the same of its key
   * @param time its own: a replayed message's headers may name that of the original
   */
  public static BusMessage of(
      byte @Nullable [] payload,
      byte @Nullable [] key,
      Place place,
      MessageTime time,
      Headers headers) {
    return new BusMessage(payload, key, place, time, headers);
  }

  /** Creates a message without key and headers. */
  public static BusMessage of(byte[] payload, Place place, MessageTime time) {
    return new BusMessage(payload, null, place, time, Headers.NONE);
  }

  /** Returns the same message with the hint of {@link #endsBacklog}. */
  public BusMessage endingBacklog() {
    return new BusMessage(this, payload, true);
  }

  /** Returns the same message with another payload. */
  public BusMessage withPayload(byte[] other) {
    return new BusMessage(this, other, endsBacklog);
  }

  /**
   * Returns the bytes that were published, none if {@link #hasPayload} not; not to be written to.
   */
  public byte[] payload() {
    return payload == null ? NOTHING : payload;
  }

  /** Returns whether the bus has a payload for it, be it of no bytes. */
  public boolean hasPayload() {
    return payload != null;
  }

  /** Returns the message's key, empty when it has none; not to be written to. */
  public byte[] key() {
    return key == null ? NOTHING : key;
  }

  /** Returns whether it has a key, be it an empty one. */
  public boolean hasKey() {
    return key != null;
  }

  /** Returns the headers, as they were published. */
  public Headers headers() {
    return headers;
  }

  /**
   * Returns how many bytes it takes in memory, roughly. Whoever holds messages counts them by this:
   * a publisher may put into key and headers as much as into the payload.
   */
  public long heldBytes() {
    return OVERHEAD + (long) payload().length + key().length + headers.heldBytes();
  }

  /** Returns where it is on its bus. */
  public Place place() {
    return place;
  }

  /** Returns the topic or subscription. */
  public String topic() {
    return place.topic();
  }

  /** Returns the partition, -1 where a bus has none. */
  public int partition() {
    return place.partition();
  }

  /** Returns the offset in the partition, -1 where a bus has none. */
  public long offset() {
    return place.offset();
  }

  /** Returns the bus's id of the message; empty where a bus numbers its messages. */
  public String messageId() {
    return place.messageId();
  }

  /**
   * Returns when it was published and who says so; of a replayed message, when the original was.
   */
  public MessageTime time() {
    return replayed.isEmpty() ? ownTime : replayed.get().time().orElse(ownTime);
  }

  /**
   * Returns when the message was published, for what condemns nothing, in microseconds since the
   * epoch: see {@link MessageTime#recent}. Where nobody says, that is now.
   */
  public long publishedAt() {
    MessageTime time = time();
    return time.by() == MessageTime.By.BUS ? time.micros() : time.recent(Micros.now());
  }

  /** Returns what a message that was sent back from a dead-letter topic says of its life before. */
  public Optional<Replayed> replayed() {
    return replayed;
  }

  /**
   * Returns whether nothing was known to wait behind this message when it was read: a hint that
   * what has been gathered is best written now. Not a part of the message: equality does not see
   * it, and a shuffle forgets it.
   */
  public boolean endsBacklog() {
    return endsBacklog;
  }

  /** Returns the time of the message itself, which {@link #time} may replace. */
  public MessageTime ownTime() {
    return ownTime;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof BusMessage that
        && place.equals(that.place)
        && ownTime.equals(that.ownTime)
        && headers.equals(that.headers)
        && Arrays.equals(key, that.key)
        && Arrays.equals(payload, that.payload);
  }

  @Override
  public int hashCode() {
    return Objects.hash(place, ownTime, Arrays.hashCode(payload));
  }

  /** Names the place of the message, never its content. */
  @Override
  public String toString() {
    return place + " (" + payload().length + " bytes)";
  }
}
