package io.tailrace.bus.pubsub;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusReading;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.extensions.gcp.auth.NoopCredentialFactory;
import org.apache.beam.sdk.extensions.gcp.options.GcpOptions;
import org.apache.beam.sdk.io.gcp.pubsub.PubsubIO;
import org.apache.beam.sdk.io.gcp.pubsub.PubsubMessage;
import org.apache.beam.sdk.io.gcp.pubsub.PubsubOptions;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.joda.time.Duration;
import org.joda.time.Instant;

/**
 * Reads a subscription with {@code PubsubIO}, which on Dataflow is the runner's own reader. It says
 * when a message was published to the millisecond.
 */
final class ReadByPubsubIo extends PTransform<PBegin, PCollection<BusMessage>> {
  private static final long serialVersionUID = 1;

  private final PubSubBus bus;

  ReadByPubsubIo(PubSubBus bus) {
    this.bus = bus;
  }

  @Override
  public PCollection<BusMessage> expand(PBegin begin) {
    PubSubServer server = bus.server();
    bus.refusal(BusReading.KAFKA_IO)
        .ifPresent(
            why -> {
              throw new IllegalArgumentException(bus.name() + ": " + why);
            });
    PipelineOptions options = begin.getPipeline().getOptions();
    options.as(PubsubOptions.class).setPubsubRootUrl(server.root());
    if (server.isEmulator()) {
      options.as(GcpOptions.class).setCredentialFactoryClass(NoopCredentialFactory.class);
    }
    // The names are part of every job that is updated: renaming a step orphans its state.
    return begin
        .apply(
            "Poll",
            PubsubIO.readMessagesWithAttributesAndMessageIdAndOrderingKey()
                .fromSubscription(bus.subscriptionPath()))
        .apply("Unpack", ParDo.of(new UnpackFn(bus.topic())));
  }

  private static final class UnpackFn extends DoFn<PubsubMessage, BusMessage> {
    private static final long serialVersionUID = 1;

    private final String subscription;

    UnpackFn(String subscription) {
      this.subscription = subscription;
    }

    @ProcessElement
    public void unpack(
        @Element PubsubMessage message,
        @Timestamp Instant published,
        OutputReceiver<BusMessage> out) {
      OutgoingMessage content =
          Attributes.message(
              Optional.ofNullable(message.getAttributeMap()).orElse(Map.of()),
              message.getPayload(),
              Optional.ofNullable(message.getOrderingKey()).orElse(""));
      BusMessage read =
          BusMessage.of(
              content.payload(),
              content.key(),
              Place.identified(
                  subscription, Optional.ofNullable(message.getMessageId()).orElse("")),
              MessageTime.ofBus(Micros.ofMillis(published.getMillis())),
              content.headers());
      out.outputWithTimestamp(read, new Instant(Micros.toMillis(read.time().micros())));
    }

    /** A replayed message has its original's time. */
    @Override
    @SuppressWarnings("deprecation") // There is no other way to say so.
    public Duration getAllowedTimestampSkew() {
      return Duration.millis(Long.MAX_VALUE);
    }
  }
}
