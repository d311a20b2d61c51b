package io.tailrace.bus;

import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.UnavailableException;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;

/**
 * A kind of bus at an address: a topic that messages are read from and published to. {@link
 * Buses#at} returns the one that a URI names. Immutable and serializable.
 *
 * <p>A bus implements it in a folder of its own, with one line in {@link Buses}.
 */
public interface Bus extends Endpoint {
  /** Returns the address without parameters, as dead letters name it. */
  String name();

  /** Returns the topic or subscription, as its messages name it. */
  String topic();

  /**
   * Returns where what was read here is sent back to: its {@link #name}, unless this bus is read at
   * one place and written to at another.
   */
  default String publishesTo() {
    return name();
  }

  /**
   * Returns whether a message's key and headers can be published as they are, whatever its size:
   * there are buses that have little room for them.
   */
  default boolean takes(OutgoingMessage message) {
    return true;
  }

  /**
   * Returns the consumer group that a reader is of: what is replayed for a group is for its readers
   * alone.
   *
   * @param fallback the group, unless the URI names one
   */
  String group(String fallback);

  /**
   * Returns the same bus with what a reader has to know of it before it starts, such as how it is
   * divided: a job that begins while no broker answers then still has all its readers, and {@code
   * start=latest} means the moment of this call.
   *
   * @param reader who will read it
   * @throws UnavailableException if the bus does not answer, or if the group is that of another
   *     writer or store
   */
  default Bus found(BusReader reader) throws UnavailableException {
    return this;
  }

  /**
   * Returns a transform that reads the bus without end, each message with its source position.
   *
   * <p>Messages are acknowledged (Kafka: offsets are committed) only after the bundle that they
   * came in, with everything that was fused to it, has been finished and made durable by the
   * runner.
   *
   * <p>A job that is restored reads what its present options say of the bus, and refuses another
   * topic than that of its state: see {@link PresentBuses}.
   *
   * @param group the consumer group, unless the URI names one; use the writer's name, so that no
   *     two writers share one and take each other's messages
   */
  PTransform<PBegin, PCollection<BusMessage>> read(String group);

  /**
   * Returns why the bus can't be read with what a pipeline's options name, and what to do instead;
   * empty where it can.
   */
  default Optional<String> refusal(BusReading reading) {
    return Optional.empty();
  }

  /**
   * Returns a transform that publishes to the bus. A bundle ends when the bus has confirmed its
   * messages.
   */
  PTransform<PCollection<OutgoingMessage>, PDone> write();

  /**
   * Opens the bus for publishing outside of a pipeline.
   *
   * @throws IllegalStateException if a secret is not where the URI says
   */
  BusPublisher publisher();

  /**
   * Opens the topic for a command that looks through it and ends.
   *
   * @throws UnavailableException if the topic can't be reached, no command can look through it, or
   *     another command does what this one is to do
   * @throws IllegalStateException if a secret is not where the URI says
   */
  default BusLog log(BusLog.Use use) throws UnavailableException {
    throw new UnavailableException(name() + " is a bus that no command can look through");
  }

  /**
   * Returns of which places of this topic a group has said, until now, that it is done with them;
   * empty where no bus of this kind tells.
   *
   * @throws UnavailableException if the bus does not answer
   */
  default Optional<Predicate<Place>> doneBy(String group) throws UnavailableException {
    return Optional.empty();
  }

  /**
   * Returns the bus of a name, as {@link #name} gives it, reached with the settings and the login
   * of this one; empty where they are not for it.
   */
  default Optional<Bus> beside(String name) {
    return name.equals(name()) ? Optional.of(this) : Optional.empty();
  }

  /**
   * Asks the bus about itself, as its reader.
   *
   * @param group the consumer group, unless the URI names one
   * @throws UnavailableException within half a minute, if the bus can't be reached, the topic is
   *     missing, or messages that the group has not read were deleted
   */
  BusFacts checkReadable(String group) throws UnavailableException;

  /**
   * Asks the bus about itself, as its writer.
   *
   * @throws UnavailableException within half a minute, if the bus can't be reached or the topic is
   *     missing
   */
  BusFacts checkWritable() throws UnavailableException;

  @Override
  default void check() throws UnavailableException {
    checkWritable();
  }
}
