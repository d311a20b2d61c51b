package io.tailrace.bus.kafka;

import java.util.List;

/** Kafka is a bus, where Beam's own source reads it, too. */
public class KafkaIoContractTest extends KafkaContractTest {
  /**
   * Settings for readers that the direct runner leaves open when it is cancelled: they look for the
   * ends of partitions for as long as the process lives, and are to do so without a sound when the
   * broker is gone.
   */
  static final String LEFT_OPEN = "default.api.timeout.ms=3600000&reconnect.backoff.max.ms=3600000";

  @Override
  protected String newTopic(int partitions) {
    return super.newTopic(partitions) + "?" + LEFT_OPEN;
  }

  @Override
  protected List<String> options() {
    return List.of("--busReader=kafkaio");
  }

  /** Its state is a place in a topic, and it is not shown the options of the job. */
  @Override
  protected boolean keepsToItsTopic() {
    return false;
  }
}
