package io.tailrace.bus.kafka;

import io.tailrace.bus.OutgoingMessage;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.NullableCoder;
import org.apache.beam.sdk.io.kafka.KafkaIO;
import org.apache.beam.sdk.io.kafka.ProducerRecordCoder;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.SerializableFunction;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Publishes to a topic with {@link KafkaIO}; a bundle ends when the broker has confirmed its
 * messages.
 */
final class WriteKafka extends PTransform<PCollection<OutgoingMessage>, PDone> {
  private static final long serialVersionUID = 1;

  /** Beyond what any topic should allow: the topic's own limit decides. */
  private static final int MAX_REQUEST_BYTES = 64 << 20;

  private final KafkaBus bus;

  WriteKafka(KafkaBus bus) {
    this.bus = bus;
  }

  @Override
  public PDone expand(PCollection<OutgoingMessage> messages) {
    Map<String, Object> config = new HashMap<>();
    config.put(ProducerConfig.ACKS_CONFIG, "all");
    config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    config.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, MAX_REQUEST_BYTES);
    config.putAll(bus.properties());
    return messages
        .apply("ToRecord", ParDo.of(new ToRecordFn(bus.topic())))
        // A message may have no key.
        .setCoder(
            ProducerRecordCoder.of(NullableCoder.of(ByteArrayCoder.of()), ByteArrayCoder.of()))
        .apply(
            "Publish",
            KafkaIO.<byte[], byte[]>writeRecords()
                .withBootstrapServers(bus.bootstrapServers())
                .withTopic(bus.topic())
                .withKeySerializer(ByteArraySerializer.class)
                .withValueSerializer(ByteArraySerializer.class)
                .withProducerConfigUpdates(config)
                .withProducerFactoryFn(new ProducerFactory(bus)));
  }

  /** Makes a producer where it runs: only there are secrets read. */
  private static final class ProducerFactory
      implements SerializableFunction<Map<String, Object>, Producer<byte[], byte[]>> {
    private static final long serialVersionUID = 1;

    private final KafkaBus bus;

    ProducerFactory(KafkaBus bus) {
      this.bus = bus;
    }

    @Override
    public Producer<byte[], byte[]> apply(Map<String, Object> config) {
      Map<String, Object> all = new HashMap<>(bus.clientProperties());
      all.putAll(config);
      return new KafkaProducer<>(all);
    }
  }

  private static final class ToRecordFn
      extends DoFn<OutgoingMessage, ProducerRecord<byte[], byte[]>> {
    private static final long serialVersionUID = 1;

    private final String topic;

    ToRecordFn(String topic) {
      this.topic = topic;
    }

    @ProcessElement
    public void convert(
        @Element OutgoingMessage message, OutputReceiver<ProducerRecord<byte[], byte[]>> out) {
      byte @Nullable [] key = message.key().length == 0 ? null : message.key();
      ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, key, message.payload());
      message
          .headers()
          .forEach(
              (name, value) -> record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
      out.output(record);
    }
  }
}
