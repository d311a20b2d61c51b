package io.tailrace.bus;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.UnavailableException;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.jspecify.annotations.Nullable;

/**
 * Publishes messages through the publisher of a bus; a bundle ends when the bus has confirmed what
 * it published, and fails if it did not. Nothing waits in state, so that a message whose origin is
 * acknowledged is on the bus already.
 */
public final class PublishMessages extends PTransform<PCollection<OutgoingMessage>, PDone> {
  private static final long serialVersionUID = 1;

  private final Bus bus;

  public PublishMessages(Bus bus) {
    this.bus = bus;
  }

  @Override
  public PDone expand(PCollection<OutgoingMessage> messages) {
    var unused = messages.apply("Publish", ParDo.of(new PublishFn(bus)));
    return PDone.in(messages.getPipeline());
  }

  private static final class PublishFn extends DoFn<OutgoingMessage, Void> {
    private static final long serialVersionUID = 1;

    private final Bus bus;
    private transient @Nullable BusPublisher publisher;

    PublishFn(Bus bus) {
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
