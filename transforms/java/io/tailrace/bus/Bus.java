package io.tailrace.bus;

import io.tailrace.bus.kafka.KafkaBus;
import io.tailrace.endpoint.ResourceUri;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;

/**
 * Reads and writes a bus that a URI names: {@code kafka://host:9092,host:9092/topic}.
 *
 * <p>Parameters of a Kafka URI: {@code group} (the consumer group), {@code start} ({@code
 * earliest}, {@code latest}), {@code overrun=continue} (read on although messages were deleted
 * unread), {@code user} and {@code password=env:VARIABLE} (SASL), and any setting of Kafka's own
 * client under its own name, such as {@code security.protocol=SASL_SSL}; where such a setting is a
 * secret, its value says where that is.
 */
public final class Bus {
  /** Header of a message that is for one writer only, with the writer's name. */
  public static final String ADDRESSEE_HEADER = "tailrace-writer";

  private Bus() {}

  /**
   * Returns a transform that reads a bus without end, each message with its source position.
   *
   * <p>Messages are acknowledged (Kafka: offsets are committed) only after the bundle that they
   * came in, with everything that was fused to it, has been finished and made durable by the
   * runner.
   *
   * @param uri the bus
   * @param group the consumer group, unless the URI names one; use the writer's name, so that no
   *     two writers share one and take each other's messages
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static PTransform<PBegin, PCollection<BusMessage>> read(String uri, String group) {
    return KafkaBus.at(parse(uri)).read(group);
  }

  /**
   * Returns a transform that publishes to a bus. A bundle ends when the bus has confirmed its
   * messages.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static PTransform<PCollection<OutgoingMessage>, PDone> write(String uri) {
    return KafkaBus.at(parse(uri)).write();
  }

  /**
   * Opens a bus for publishing outside of a pipeline.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   * @throws IllegalStateException if a secret is not where the URI says
   */
  public static BusPublisher publisher(String uri) {
    return KafkaBus.at(parse(uri)).publisher();
  }

  /**
   * Asks a bus about itself, as its reader.
   *
   * @param group the consumer group, unless the URI names one
   * @throws BusException within half a minute, if the bus can't be reached, the topic is missing,
   *     or messages that the group has not read were deleted
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static BusFacts checkReadable(String uri, String group) throws BusException {
    return KafkaBus.at(parse(uri)).checkReadable(group);
  }

  /**
   * Asks a bus about itself, as its writer.
   *
   * @throws BusException within half a minute, if the bus can't be reached or the topic is missing
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static BusFacts checkWritable(String uri) throws BusException {
    return KafkaBus.at(parse(uri)).checkWritable();
  }

  /**
   * Returns the URI of a bus without its parameters, as dead letters name it.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static String name(String uri) {
    return KafkaBus.at(parse(uri)).name();
  }

  private static ResourceUri parse(String uri) {
    ResourceUri parsed = ResourceUri.parse(uri);
    if (!parsed.scheme().equals("kafka")) {
      throw new IllegalArgumentException(
          "'" + parsed + "' names no bus. Example: kafka://broker-1:9092,broker-2:9092/result-bus");
    }
    return parsed;
  }
}
