package io.tailrace.bus.pubsub;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusReading;
import io.tailrace.bus.PresentBuses;
import io.tailrace.endpoint.Micros;
import java.util.List;
import org.apache.beam.sdk.io.Read;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.joda.time.Instant;

/**
 * Reads a subscription, with what the pipeline's options name; a message's event time is its
 * publish time.
 */
final class ReadPubSub extends PTransform<PBegin, PCollection<BusMessage>> {
  private static final long serialVersionUID = 1;

  private final PubSubBus bus;
  private final String group;

  ReadPubSub(PubSubBus bus, String group) {
    this.bus = bus;
    this.group = group;
  }

  @Override
  public PCollection<BusMessage> expand(PBegin begin) {
    if (BusReading.of(begin.getPipeline().getOptions()) == BusReading.KAFKA_IO) {
      return begin.apply("PubsubIO", new ReadByPubsubIo(bus));
    }
    String present = PresentBuses.enter(begin.getPipeline().getOptions(), group, bus);
    // The names are part of every checkpoint: renaming a step orphans its state.
    return begin
        .apply("Poll", Read.from(new PubSubSource(bus, group, present)))
        .apply("Unpack", ParDo.of(new UnpackFn()));
  }

  private static final class UnpackFn extends DoFn<List<BusMessage>, BusMessage> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void unpack(@Element List<BusMessage> batch, OutputReceiver<BusMessage> out) {
      for (int i = 0; i < batch.size(); i++) {
        BusMessage message = batch.get(i);
        out.outputWithTimestamp(message, new Instant(Micros.toMillis(message.time().micros())));
      }
    }
  }
}
