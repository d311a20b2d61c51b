package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.jspecify.annotations.Nullable;

/**
 * Publishes to a topic; a bundle ends when the broker has confirmed its messages. {@code KafkaIO}
 * would do it, but its coder of records knows no header without a value, which Kafka allows.
 */
final class WriteKafka extends PTransform<PCollection<OutgoingMessage>, PDone> {
  private static final long serialVersionUID = 1;

  private final KafkaBus bus;

  WriteKafka(KafkaBus bus) {
    this.bus = bus;
  }

  @Override
  public PDone expand(PCollection<OutgoingMessage> messages) {
    var unused = messages.apply("Publish", ParDo.of(new PublishFn(bus)));
    return PDone.in(messages.getPipeline());
  }

  private static final class PublishFn extends DoFn<OutgoingMessage, Void> {
    private static final long serialVersionUID = 1;

    private final KafkaBus bus;
    private transient @Nullable BusPublisher publisher;

    PublishFn(KafkaBus bus) {
      this.bus = bus;
    }

    /** Only where it publishes are secrets read. */
    @Setup
    public void setUp() {
      publisher = bus.publisher();
    }

    @ProcessElement
    public void publish(@Element OutgoingMessage message) throws UnavailableException {
      requireNonNull(publisher).publish(message);
    }

    @FinishBundle
    public void finishBundle() throws UnavailableException {
      requireNonNull(publisher).flush();
    }

    @Teardown
    public void tearDown() {
      if (publisher != null) {
        publisher.close();
      }
    }
  }
}
