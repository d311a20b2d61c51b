package io.tailrace.bus.kafka;

import java.util.List;

/** Kafka is a bus, where Beam's own source reads it, too. */
public class KafkaIoContractTest extends KafkaContractTest {
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
