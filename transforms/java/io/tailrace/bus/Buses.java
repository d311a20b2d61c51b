package io.tailrace.bus;

import io.tailrace.bus.kafka.KafkaBus;
import io.tailrace.bus.pubsub.PubSubBus;
import io.tailrace.endpoint.Kinds;
import io.tailrace.endpoint.Kinds.Kind;
import java.util.List;

/** Maps URIs to buses: the one place that knows every kind. */
public final class Buses {
  /** Every kind of bus. */
  public static final Kinds<Bus> KINDS =
      Kinds.of(
          "bus",
          Bus.class,
          List.of(
              Kind.of("kafka", KafkaBus.EXAMPLE, KafkaBus::at),
              Kind.<Bus>of("pubsub", PubSubBus.EXAMPLE, PubSubBus::at)
                  .needing(
                      "org.apache.beam:beam-sdks-java-io-google-cloud-platform",
                      "org.apache.beam.sdk.io.gcp.pubsub.PubsubIO")));

  private Buses() {}

  /**
   * Returns the bus that a URI names: {@code kafka://host:9092,host:9092/topic} or {@code
   * pubsub://project/subscription}.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI, and a correct
   *     one
   */
  public static Bus at(String uri) {
    return KINDS.at(uri);
  }
}
