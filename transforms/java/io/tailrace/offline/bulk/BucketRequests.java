package io.tailrace.offline.bulk;

import io.tailrace.bus.MemoryBudget;
import io.tailrace.endpoint.UnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Asks a bucket for something of many files, of some at a time: an answer takes tens of
 * milliseconds, whatever is asked. Immutable.
 *
 * @param bucket of which files on this machine are asked for one after the other
 */
record BucketRequests(ResultBucket bucket) {
  private static final int MOST_AT_A_TIME = 16;

  /** Room for the footer of a file when it has been read: one of many columns and row groups. */
  private static final long FOOTER_BYTES = 16 << 20;

  /** Each has the footer of a file in memory; whole columns are looked at by one at a time. */
  private static final int AT_A_TIME =
      (int) Math.max(2, Math.min(MOST_AT_A_TIME, MemoryBudget.ofProcess().bytes() / FOOTER_BYTES));

  /** What is asked for. */
  @FunctionalInterface
  interface Request<T, R> {
    /** Returns the answer. */
    R of(T file) throws UnavailableException;
  }

  /**
   * Returns the answers, in the order of the files.
   *
   * @throws UnavailableException if one can't be answered now
   */
  <T, R> List<R> ask(List<T> files, Request<T, R> request) throws UnavailableException {
    List<R> answers = new ArrayList<>();
    if (bucket.isLocal() || files.size() == 1) {
      for (T file : files) {
        answers.add(request.of(file));
      }
      return answers;
    }
    ExecutorService threads =
        Executors.newFixedThreadPool(Math.min(AT_A_TIME, Math.max(1, files.size())));
    try {
      List<Future<R>> asked = new ArrayList<>();
      for (T file : files) {
        asked.add(threads.submit((Callable<R>) () -> request.of(file)));
      }
      for (Future<R> each : asked) {
        answers.add(each.get());
      }
      return answers;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnavailableException unavailable) {
        throw unavailable;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(bucket + ": interrupted", e);
    } finally {
      threads.shutdownNow();
    }
  }
}
