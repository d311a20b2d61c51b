package io.tailrace.bus.pubsub;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusMessageCoder;
import io.tailrace.bus.BusReader;
import io.tailrace.bus.PresentBuses;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.beam.sdk.options.PipelineOptions;
import org.jspecify.annotations.Nullable;

/**
 * Reads a subscription, in batches: an element is what one pull brought. It has as many readers as
 * the job has parallelism when it starts without state; any of them gets any message.
 *
 * <p>{@code PubsubIO} puts out an element for each message, for which a runner does as much work as
 * a small result takes in all; it extends leases only when it is asked for more, so that a sink
 * that waits for its store gets its messages again; and it holds as much of them as Pub/Sub gives,
 * whatever the heap. On Dataflow it is another thing: there the runner itself reads, divides and
 * shows the subscription, and knows a message again that it has seen. See {@link ReadByPubsubIo}.
 */
final class PubSubSource extends UnboundedSource<List<BusMessage>, PubSubMark> {
  private static final long serialVersionUID = 1;

  private final PubSubBus bus;
  private final String present;
  private final BusReader reader;
  // Which one of its readers' sources this is; negative: all.
  private final int number;

  /**
   * Describes the whole subscription.
   *
   * @param group who reads, where that was not said before
   * @param present under which name a job's options have the bus
   */
  PubSubSource(PubSubBus bus, String group, String present) {
    this(bus, present, bus.reader().orElse(BusReader.of(group)), -1);
  }

  private PubSubSource(PubSubBus bus, String present, BusReader reader, int number) {
    this.bus = bus;
    this.present = present;
    this.reader = reader;
    this.number = number;
  }

  PubSubBus bus() {
    return bus;
  }

  @Override
  public List<PubSubSource> split(int desired, PipelineOptions options) {
    return number >= 0
        ? List.of(this)
        : IntStream.range(0, Math.max(1, desired))
            .mapToObj(each -> new PubSubSource(bus, present, reader, each))
            .toList();
  }

  @Override
  public UnboundedReader<List<BusMessage>> createReader(
      PipelineOptions options, @Nullable PubSubMark mark) {
    PubSubBus now = PresentBuses.of(options, present, bus);
    BusReader by = now.reader().orElse(reader);
    Optional<String> conflict =
        SubscriptionOwner.of(reader)
            .conflict(
                bus.name() + ": the state that this job was restored from",
                SubscriptionOwner.of(by));
    if (conflict.isPresent() && !PresentBuses.adoptsGroup(options)) {
      throw new IllegalStateException(conflict.get());
    }
    return new PubSubReader(
        new PubSubSource(now, present, by, number), now.topic().equals(bus.topic()) ? mark : null);
  }

  @Override
  public Coder<PubSubMark> getCheckpointMarkCoder() {
    return new PubSubMark.MarkCoder();
  }

  @Override
  public Coder<List<BusMessage>> getOutputCoder() {
    return ListCoder.of(BusMessageCoder.of());
  }

  @Override
  public String toString() {
    return bus.name() + (number < 0 ? "" : " " + number);
  }
}
