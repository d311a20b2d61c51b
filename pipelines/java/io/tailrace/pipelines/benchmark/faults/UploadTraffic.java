package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.SampleUpload;
import io.tailrace.pipelines.local.proof.StoreModels;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Publishes offline queries' results as files, and after each message an earlier one again, as an
 * engine does that is not sure. Not thread-safe, but for what is said of repetition.
 */
final class UploadTraffic implements AutoCloseable {
  /** A broker may be away for longer than a producer waits. */
  private static final String PATIENT = "?delivery.timeout.ms=300000";

  private static final int ROWS = 60;
  private static final int ROWS_OF_FILE = 25;

  /** So many earlier ones follow each where messages are to come again. */
  private static final int REPEATED = 4;

  /** More than there are of one run. */
  private static final long UPLOADS_OF_SEED = 100_000;

  private final String bucket;
  private final BusPublisher bus;
  private final StoreModels models;
  private final long seed;
  private final SplittableRandom random;
  private final List<OutgoingMessage> published = new ArrayList<>();
  private volatile boolean repeating;
  private final AtomicLong repeated = new AtomicLong();

  /**
   * Publishes nothing yet.
   *
   * @param seed other results for another number
   * @param models told of the rows
   */
  UploadTraffic(FaultServers servers, long seed, StoreModels models) {
    this.bucket = servers.uploadBucket();
    this.models = models;
    this.seed = seed;
    this.random = new SplittableRandom(seed);
    this.bus = Buses.at(servers.uploadBus() + PATIENT).publisher();
  }

  /** Publishes one more, and perhaps earlier ones; returns when the bus has acknowledged them. */
  void publish() throws CommandException {
    if (repeating) {
      publish(next(), REPEATED);
      repeated.addAndGet(REPEATED);
    } else {
      publish(next(), 1);
    }
  }

  /** Publishes one more, and nothing else. */
  void publishOne() throws CommandException {
    publish(next(), 0);
  }

  private OutgoingMessage next() throws CommandException {
    OutgoingMessage message =
        SampleUpload.write(
            bucket, seed * UPLOADS_OF_SEED + published.size(), ROWS, ROWS_OF_FILE, models);
    published.add(message);
    return message;
  }

  private void publish(OutgoingMessage message, int earlier) throws CommandException {
    try {
      bus.publish(message);
      for (int i = 0; i < earlier; i++) {
        bus.publish(published.get(random.nextInt(published.size())));
      }
      bus.flush();
    } catch (UnavailableException e) {
      throw new CommandException("Files can't be published: " + e.getMessage(), e);
    }
  }

  /** From now on publishes more earlier messages behind each new one, or no longer. */
  void repeat(boolean repeat) {
    repeating = repeat;
  }

  /** Returns how many messages were published again meanwhile. */
  long repeated() {
    return repeated.get();
  }

  /** Returns how many results were published. */
  long results() {
    return published.size();
  }

  @Override
  public void close() {
    bus.close();
  }
}
