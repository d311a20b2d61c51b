package io.tailrace.bus;

import io.tailrace.endpoint.Micros;
import java.time.Duration;

/**
 * When a message was published, and who says so. The bus's own time (Kafka's {@code LogAppendTime},
 * Pub/Sub's publish time) is the publish time of every rule. A time that the publisher gave
 * (Kafka's {@code CreateTime}) may be that of an event long ago or to come, so it condemns nothing:
 * where it is all there is, such rules go by the reader's clock. Immutable.
 *
 * @param by who says so
 * @param micros microseconds since the epoch; 0 where nobody says
 */
public record MessageTime(By by, long micros) {
  /** Who gave a message its time. */
  public enum By {
    /** The bus, when it took the message. */
    BUS,
    /** The publisher, whatever it meant by that. */
    PUBLISHER,
    /** Nobody. */
    NOBODY
  }

  /** No time. */
  public static final MessageTime ABSENT = new MessageTime(By.NOBODY, 0);

  /** For how long a publisher's time is taken for that of the publication, in microseconds. */
  private static final long RECENT = Micros.of(Duration.ofDays(1));

  /** Returns the time at which the bus took the message, in microseconds since the epoch. */
  public static MessageTime ofBus(long micros) {
    return new MessageTime(By.BUS, micros);
  }

  /** Returns a time that the publisher gave; zero and what is before it is none. */
  public static MessageTime ofPublisher(long micros) {
    return micros <= 0 ? ABSENT : new MessageTime(By.PUBLISHER, micros);
  }

  /**
   * Returns the publish time for rules that condemn, such as how far an observation may be ahead of
   * it: the bus's time, else the clock.
   *
   * @param now the reader's clock, in microseconds since the epoch
   */
  public long publishTime(long now) {
    return by == By.BUS ? micros : now;
  }

  /**
   * Returns the time of the event for metrics: the bus's time, or what the publisher says as long
   * as it is neither ahead of the clock nor from before the topic's messages; else the clock.
   *
   * @param keptMicros for how long the topic keeps messages
   * @param now the reader's clock, in microseconds since the epoch
   */
  public long eventTime(long keptMicros, long now) {
    boolean known = by == By.PUBLISHER && micros <= now && micros >= now - keptMicros;
    return by == By.BUS || known ? micros : now;
  }

  /**
   * Returns the time for what condemns nothing, such as freshness and letters: the bus's time, or
   * what the publisher says as long as it is within the last day; else the clock.
   *
   * @param now the reader's clock, in microseconds since the epoch
   */
  public long recent(long now) {
    return eventTime(RECENT, now);
  }

  /**
   * Returns since when a message may have been there: the earliest of its time, whoever says so,
   * and the clock.
   *
   * @param now the reader's clock, in microseconds since the epoch
   */
  public long earliest(long now) {
    return by == By.NOBODY ? now : Math.min(micros, now);
  }
}
