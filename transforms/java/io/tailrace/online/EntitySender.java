package io.tailrace.online;

import com.google.common.base.Throwables;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes to a store in a thread of its own, one batch at a time, while the next is gathered. Used
 * by one thread; close it.
 */
final class EntitySender implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EntitySender.class);

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);

  private static final ThreadFactory SENDERS =
      new ThreadFactoryBuilder().setDaemon(true).setNameFormat("write-online-%d").build();

  private static final Future<?> NOTHING = CompletableFuture.completedFuture("");

  private final String store;
  private final OnlineStore.Connection connection;
  private final ExecutorService thread = Executors.newSingleThreadExecutor(SENDERS);
  private Future<?> underWay = NOTHING;
  private List<EntityWrite> batch = List.of();

  private EntitySender(OnlineStore store) {
    this.store = store.uri();
    this.connection = store.connect();
  }

  /** Opens a connection to a store. */
  static EntitySender to(OnlineStore store) {
    return new EntitySender(store);
  }

  /**
   * Begins to write entities; what was sent before must have been awaited.
   *
   * @param nowMicros by which clock a cell has expired
   */
  void send(List<EntityWrite> writes, long nowMicros) {
    if (!batch.isEmpty()) {
      throw new IllegalStateException("the batch before is under way");
    }
    batch = writes;
    underWay =
        thread.submit(
            () -> {
              connection.write(writes, nowMicros);
              return "written";
            });
  }

  /**
   * Waits until everything that was sent has been written, and tells whose it was what became of
   * it.
   *
   * @throws UnavailableException if the store can't be written to now
   */
  void await() throws UnavailableException {
    Future<?> writing = underWay;
    List<EntityWrite> writes = batch;
    underWay = NOTHING;
    batch = List.of();
    var unused = result(writing, "writing");
    for (int i = 0; i < writes.size(); i++) {
      writes.get(i).tell();
    }
  }

  /** Returns what the store was asked and has charged since this was asked last. */
  StoreCosts drainCosts() {
    return connection.drainCosts();
  }

  private <T> T result(Future<T> under, String doing) throws UnavailableException {
    try {
      return under.get();
    } catch (ExecutionException e) {
      Throwables.throwIfInstanceOf(e.getCause(), UnavailableException.class);
      Throwables.throwIfUnchecked(e.getCause());
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      under.cancel(true);
      Thread.currentThread().interrupt();
      throw new UnavailableException(store + ": interrupted while " + doing, e);
    }
  }

  /**
   * Returns what time it is by the store's clock.
   *
   * @throws UnavailableException if the store can't be asked now
   */
  Instant now() throws UnavailableException {
    // By the thread that has the connection, behind what a bundle that failed has under way.
    return result(thread.submit(connection::now), "asking for the time");
  }

  /** Forgets what a bundle that failed had sent: it comes again, after that. */
  void forget() {
    underWay = NOTHING;
    batch = List.of();
  }

  @Override
  public void close() {
    underWay.cancel(true);
    // By the thread that uses it, which has one write to give up at most.
    thread.execute(connection::close);
    thread.shutdown();
    try {
      if (!thread.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("{}: a connection is still being closed", store);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
