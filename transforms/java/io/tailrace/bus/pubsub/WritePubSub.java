package io.tailrace.bus.pubsub;

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
 * Publishes to a topic; a bundle ends when Pub/Sub has confirmed its messages. {@code
 * PubsubIO.write} gathers them in keyed state first: a message that its bundle has settled, and
 * whose origin is acknowledged, is then nowhere but in that state, and a start without state, or a
 * cancelled job on Dataflow, loses it.
 */
final class WritePubSub extends PTransform<PCollection<OutgoingMessage>, PDone> {
  private static final long serialVersionUID = 1;

  private final PubSubBus bus;

  WritePubSub(PubSubBus bus) {
    this.bus = bus;
  }

  @Override
  public PDone expand(PCollection<OutgoingMessage> messages) {
    var unused = messages.apply("Publish", ParDo.of(new PublishFn(bus)));
    return PDone.in(messages.getPipeline());
  }

  private static final class PublishFn extends DoFn<OutgoingMessage, Void> {
    private static final long serialVersionUID = 1;

    private final PubSubBus bus;
    private transient @Nullable BusPublisher publisher;

    PublishFn(PubSubBus bus) {
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
