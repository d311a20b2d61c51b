package io.tailrace.endpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The body of an answer, as a stream that ends with an error when its time is over. Of what comes
 * one part is kept at a time. Read by one thread.
 */
final class TimedBody extends InputStream implements HttpResponse.BodySubscriber<InputStream> {
  /**
   * What comes.
   *
   * @param failure why there is no more; null: nothing has failed
   */
  private record Part(List<ByteBuffer> bytes, boolean isLast, @Nullable Throwable failure) {}

  private final long deadlineNanos;
  private final Supplier<IOException> late;
  private final BlockingQueue<Part> parts = new LinkedBlockingQueue<>();
  private final Deque<ByteBuffer> current = new ArrayDeque<>();
  private boolean hasEnded;
  private Flow.@Nullable Subscription subscription;
  private boolean isClosed;

  /**
   * Creates it.
   *
   * @param deadlineNanos when its time is over, as {@link System#nanoTime} counts
   * @param late what is thrown then
   */
  TimedBody(long deadlineNanos, Supplier<IOException> late) {
    this.deadlineNanos = deadlineNanos;
    this.late = late;
  }

  @Override
  public CompletionStage<InputStream> getBody() {
    return CompletableFuture.completedFuture(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    synchronized (this) {
      subscription = given;
      if (!isClosed) {
        given.request(1);
        return;
      }
    }
    given.cancel();
  }

  @Override
  public void onNext(List<ByteBuffer> bytes) {
    parts.add(new Part(bytes, false, null));
  }

  @Override
  public void onError(Throwable failure) {
    parts.add(new Part(List.of(), true, failure));
  }

  @Override
  public void onComplete() {
    parts.add(new Part(List.of(), true, null));
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (true) {
      ByteBuffer first = current.peek();
      if (first == null) {
        if (hasEnded) {
          return -1;
        }
        take();
      } else if (first.hasRemaining()) {
        int count = Math.min(length, first.remaining());
        first.get(into, offset, count);
        return count;
      } else {
        current.remove();
      }
    }
  }

  private void take() throws IOException {
    Part part;
    try {
      part = parts.poll(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while an answer was read");
    }
    // One that comes a little at a time is late, too.
    if (part == null || deadlineNanos - System.nanoTime() < 0) {
      throw late.get();
    }
    if (part.failure != null) {
      throw new IOException(String.valueOf(part.failure.getMessage()), part.failure);
    }
    current.addAll(part.bytes);
    hasEnded = part.isLast;
    Flow.Subscription known = subscription();
    if (!hasEnded && known != null) {
      known.request(1);
    }
  }

  private synchronized Flow.@Nullable Subscription subscription() {
    return subscription;
  }

  /** What is still to come is not taken: the way that it comes on is given up. */
  @Override
  public void close() {
    Flow.Subscription known;
    synchronized (this) {
      isClosed = true;
      known = subscription;
    }
    if (known != null) {
      known.cancel();
    }
  }
}
