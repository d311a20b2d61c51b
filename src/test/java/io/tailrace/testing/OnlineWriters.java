package io.tailrace.testing;

import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusMessage;
import io.tailrace.online.BundleWriter;
import io.tailrace.online.WriteOnline;
import io.tailrace.online.WriteOutcome;
import io.tailrace.v1.QueryResult;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Several workers that write the same messages at once, each in an order of its own. */
public final class OnlineWriters {
  /** 2100-01-01T00:00:00Z, in the future of every server that a test starts. */
  public static final long START = 4_102_444_800_000_000L;

  private static final long HOUR = 3_600_000_000L;
  private static final int MAX_BUNDLE = 20;

  private OnlineWriters() {}

  /** Writes to a store by a clock at which nothing that is observed from START on has expired. */
  public static WriteOnline to(String uri) {
    return WriteOnline.to(uri)
        .withClock(() -> Instant.ofEpochSecond(START / 1_000_000 - 1))
        .withMaxClockSkew(Duration.ofHours(2));
  }

  /** Makes messages of random results, observed within an hour or within a few microseconds. */
  public static List<BusMessage> messages(long seed, int count) {
    Random random = new Random(seed);
    RandomResults results =
        RandomResults.seeded(seed)
            .between(START, START + (random.nextBoolean() ? HOUR : 4))
            .ofEntities(1 + random.nextInt(8))
            .withDuplicates(0.2)
            .withDeletions(0.3);
    List<BusMessage> messages = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      messages.add(Messages.of(results.next(), START + random.nextLong(2 * HOUR)));
    }
    return messages;
  }

  /** Makes messages of results, all published at one time. */
  public static List<BusMessage> published(long time, QueryResult... results) {
    return Arrays.stream(results).map(result -> Messages.of(result, time)).toList();
  }

  /** Divides what each writer writes among bundles, and writes it, all of them at once. */
  public static void write(WriteOnline write, List<List<BusMessage>> shares, Random random)
      throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(shares.size());
    try {
      List<Future<?>> running = new ArrayList<>();
      for (List<BusMessage> share : shares) {
        Random own = new Random(random.nextLong());
        running.add(
            threads.submit(
                () -> {
                  writeInBundles(write, share, own);
                  return null;
                }));
      }
      for (Future<?> each : running) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  /** Shares messages among writers, so that each has at least one writer and most have several. */
  public static List<List<BusMessage>> shares(
      List<BusMessage> messages, int writers, Random random) {
    List<List<BusMessage>> shares = new ArrayList<>();
    for (int writer = 0; writer < writers; writer++) {
      shares.add(new ArrayList<>());
    }
    for (BusMessage message : messages) {
      int sure = random.nextInt(writers);
      for (int writer = 0; writer < writers; writer++) {
        if (writer == sure || random.nextInt(3) > 0) {
          shares.get(writer).add(message);
        }
      }
    }
    shares.forEach(share -> Collections.shuffle(share, random));
    return shares;
  }

  private static void writeInBundles(WriteOnline write, List<BusMessage> messages, Random random)
      throws Exception {
    try (BundleWriter writer = BundleWriter.of(write)) {
      int from = 0;
      while (from < messages.size()) {
        int to = Math.min(messages.size(), from + 1 + random.nextInt(MAX_BUNDLE));
        List<BusMessage> bundle = messages.subList(from, to);
        BundleWriter.Written written = writer.write(bundle);
        assertWithMessage("failures").that(written.failures()).isEmpty();
        for (int i = 0; i < bundle.size(); i++) {
          assertWithMessage("cells settled of %s", written.outcomes().get(i).operationId())
              .that(settled(written.outcomes().get(i)))
              .isEqualTo(ExpectedCells.countCells(bundle.get(i)));
        }
        from = to;
      }
    }
  }

  private static int settled(WriteOutcome outcome) {
    return outcome.written()
        + outcome.stale()
        + outcome.duplicate()
        + outcome.expired()
        + outcome.skipped()
        + outcome.rejected();
  }
}
