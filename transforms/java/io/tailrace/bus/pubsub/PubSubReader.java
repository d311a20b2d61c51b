package io.tailrace.bus.pubsub;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.ReadCounters;
import io.tailrace.bus.pubsub.PubSubMessages.Pulled;
import io.tailrace.endpoint.Micros;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.joda.time.Instant;
import org.jspecify.annotations.Nullable;

/** Reads a subscription, beside the other readers of it. */
final class PubSubReader extends UnboundedSource.UnboundedReader<List<BusMessage>> {
  /** What is put out at once, with the earliest time in it, in microseconds since the epoch. */
  private record Batch(List<BusMessage> messages, long earliestMicros) {}

  private final PubSubSource source;
  private final Leases leases;
  private final Pulls pulls;
  private final SubscriptionTimes times;
  private Optional<Batch> batch = Optional.empty();

  PubSubReader(PubSubSource source, @Nullable PubSubMark mark) {
    this.source = source;
    PubSubClient client = new PubSubClient(source.bus().server());
    this.leases =
        new Leases(
            source.bus(), client, Duration.ofSeconds(source.bus().leaseSeconds()).dividedBy(2));
    this.pulls = new Pulls(source.bus(), client, leases);
    this.times =
        new SubscriptionTimes(
            mark == null ? BoundedWindow.TIMESTAMP_MIN_VALUE.getMillis() : mark.watermarkMillis(),
            System.currentTimeMillis());
  }

  @Override
  public boolean start() throws IOException {
    leases.start();
    ReadCounters.COMMITS_FAILED.add(0);
    return advance();
  }

  @Override
  public boolean advance() throws IOException {
    // What was handed out has gone on, and must not be held any longer.
    batch = Optional.empty();
    leases.alive();
    long failures = leases.takeFailures();
    if (failures > 0) {
      ReadCounters.COMMITS_FAILED.add(failures);
    }
    Optional<Pulled> pulled = pulls.next();
    if (pulled.isEmpty()) {
      return false;
    }
    times.answered(System.currentTimeMillis());
    if (pulled.get().messages().isEmpty()) {
      return false;
    }
    batch = Optional.of(handOut(pulled.get()));
    return true;
  }

  private Batch handOut(Pulled pulled) {
    List<BusMessage> messages = pulled.messages();
    long published = Long.MAX_VALUE;
    // A replayed message has its original's time, and nothing may be put out before its element.
    long earliest = Long.MAX_VALUE;
    for (BusMessage message : messages) {
      published = Math.min(published, message.publishedAt());
      earliest = Math.min(earliest, message.time().micros());
    }
    if (pulls.endsBacklog(pulled)) {
      int last = messages.size() - 1;
      messages.set(last, messages.get(last).endingBacklog());
    }
    leases.handOut(pulled);
    times.saw(Micros.toMillis(published), System.currentTimeMillis());
    return new Batch(messages, earliest);
  }

  @Override
  public Instant getWatermark() {
    return new Instant(times.watermark(System.currentTimeMillis()));
  }

  @Override
  public PubSubMark getCheckpointMark() {
    return new PubSubMark(times.watermark(System.currentTimeMillis()), leases.mark(), leases);
  }

  @Override
  public List<BusMessage> getCurrent() {
    return batch.orElseThrow(NoSuchElementException::new).messages();
  }

  @Override
  public Instant getCurrentTimestamp() {
    return new Instant(
        Micros.toMillis(batch.orElseThrow(NoSuchElementException::new).earliestMicros()));
  }

  @Override
  public PubSubSource getCurrentSource() {
    return source;
  }

  @Override
  public void close() {
    batch = Optional.empty();
    pulls.close();
    leases.close();
  }
}
