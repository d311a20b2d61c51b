package io.tailrace.bus.kafka;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.Micros;
import java.util.Map;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.NullableCoder;
import org.apache.beam.sdk.io.kafka.KafkaIO;
import org.apache.beam.sdk.io.kafka.KafkaRecord;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.joda.time.Instant;

/**
 * Reads a topic with {@code KafkaIO}. What is absent stays so: keys and values are encoded as what
 * may be, and {@code KafkaIO} does the same with the values of headers.
 */
final class ReadByKafkaIo extends PTransform<PBegin, PCollection<BusMessage>> {
  private static final long serialVersionUID = 1;

  private static final Coder<byte[]> BYTES = NullableCoder.of(ByteArrayCoder.of());

  private final KafkaBus bus;
  private final String group;

  /**
   * Creates the transform.
   *
   * @param group the consumer group, unless the URI names one
   */
  ReadByKafkaIo(KafkaBus bus, String group) {
    this.bus = bus;
    this.group = bus.group(group);
  }

  @Override
  public PCollection<BusMessage> expand(PBegin begin) {
    String topicId = bus.found().map(TopicStart::topicId).orElse("");
    // The names are part of every job that is updated: renaming a step orphans its state.
    return begin.apply("Poll", read()).apply("Unpack", ParDo.of(new UnpackFn(topicId)));
  }

  KafkaIO.Read<byte[], byte[]> read() {
    return KafkaIO.<byte[], byte[]>read()
        .withBootstrapServers(bus.bootstrapServers())
        .withTopic(bus.topic())
        .withKeyDeserializerAndCoder(ByteArrayDeserializer.class, BYTES)
        .withValueDeserializerAndCoder(ByteArrayDeserializer.class, BYTES)
        // All else is set where the consumer is made: what is set here is part of the job's graph,
        // in which no secret may be.
        .withConsumerFactoryFn(new KafkaIoConsumers(bus, group))
        .withConsumerConfigUpdates(
            Map.of(
                ConsumerConfig.GROUP_ID_CONFIG,
                group,
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                false))
        .withTimestampPolicyFactory((partition, before) -> new PublishTimes(before))
        .commitOffsetsInFinalize();
  }

  private static final class UnpackFn extends DoFn<KafkaRecord<byte[], byte[]>, BusMessage> {
    private static final long serialVersionUID = 1;

    private final String topicId;

    UnpackFn(String topicId) {
      this.topicId = topicId;
    }

    @ProcessElement
    public void unpack(
        @Element KafkaRecord<byte[], byte[]> record, OutputReceiver<BusMessage> out) {
      BusMessage message = KafkaRecords.message(record, topicId);
      out.outputWithTimestamp(message, new Instant(Micros.toMillis(message.time().micros())));
    }
  }
}
