package io.tailrace.bus;

import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A topic as a command sees it that looks through it and ends: what was there when it was opened.
 * Opened by {@link Bus#log}. Nobody else's reading is disturbed. Not thread-safe.
 */
public interface BusLog extends AutoCloseable {
  /** What a log is opened for. */
  enum Use {
    /** To look through it. */
    LOOK,
    /**
     * To send messages of it elsewhere, and to leave notes about them. Whoever opens it so takes
     * the place of another who has, or is told to wait: no two do the same at once.
     */
    SETTLE
  }

  /** Is shown one message after the other. */
  interface Visitor {
    /**
     * Looks at a message.
     *
     * @return whether to go on with the next one
     * @throws UnavailableException if it can't be dealt with; nothing is shown after that
     */
    boolean visit(BusMessage message) throws UnavailableException;
  }

  /** Returns what the bus said of the topic when this was opened. */
  BusFacts facts();

  /**
   * Returns for how long anybody may still be shown a message of this topic; empty where the bus
   * does not tell, or for ever.
   *
   * @throws UnavailableException if the bus does not answer
   */
  default Optional<Duration> keeps() throws UnavailableException {
    return facts().retention();
  }

  /** Returns whether {@link #read} shows everything for certain, and not only all that came. */
  default boolean showsAll() {
    return true;
  }

  /**
   * Shows every message that was there when this was opened, those of a partition in their order;
   * each time anew. At most what one poll brings is in memory.
   *
   * @throws UnavailableException if the bus does not answer for a minute, or as the visitor says
   */
  void read(Visitor visitor) throws UnavailableException;

  /**
   * Returns at which places those messages are that {@link #read} shows, for another log of the
   * topic to be shown no more than this one was. It is of use after this log is closed, and takes
   * some memory for each message where a bus gives them ids.
   *
   * @throws UnavailableException as {@link #read}
   */
  Predicate<Place> extent() throws UnavailableException;

  /**
   * Shows what has come since this was opened, or since the last call.
   *
   * @throws UnavailableException as {@link #read}
   */
  void readNews(Visitor visitor) throws UnavailableException;

  /**
   * Opens a bus for what is sent there and noted here; to be closed before this log.
   *
   * <p>Where the bus has transactions, and the other is on the same servers, what was published
   * since the last {@link #flush} of this log is there together with the notes, or none of both is;
   * nobody is shown it before that. Elsewhere what was published is there first.
   *
   * @throws IllegalStateException if this log was opened to look
   */
  BusPublisher publisher(Bus to);

  /**
   * Publishes a note about a message of this log, a message without key and value, where the bus
   * forgets it no sooner than that; it may still be on its way when this returns. With its note a
   * message is settled.
   *
   * @throws UnavailableException if this note, or one before it, can't be published
   * @throws IllegalStateException if this log was opened to look
   */
  void note(Place about, Headers note) throws UnavailableException;

  /**
   * Returns when the bus has confirmed every note, and what was published with them.
   *
   * @throws UnavailableException if one can't be published, or another has taken this one's place
   */
  void flush() throws UnavailableException;

  /**
   * Takes back what was published and noted since the last {@link #flush}, where the bus has
   * transactions. Publishers of this log are of no more use then.
   *
   * @return whether nothing of it is there; otherwise what was published may be, and is not noted
   * @throws UnavailableException if it can't be taken back, or another has taken this one's place
   */
  default boolean takeBack() throws UnavailableException {
    return false;
  }

  /** Ends at once; what was not flushed may be lost. */
  @Override
  void close();
}
