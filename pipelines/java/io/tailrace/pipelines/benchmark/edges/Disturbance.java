package io.tailrace.pipelines.benchmark.edges;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.MetricsWriter;
import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/** Disturbs a stack in one way after the other: servers that go away, writers that start anew. */
final class Disturbance {
  private static final Duration AWAY = Duration.ofSeconds(3);

  private enum Kind {
    ONLINE_STORE_AWAY,
    WRITER_RESTORED,
    OFFLINE_STORE_AWAY,
    WRITER_KILLED,
    BUS_AWAY
  }

  private final LocalStack stack;
  private final LocalPostgres postgres;
  private final SplittableRandom random;
  private final Map<String, Integer> starts = new HashMap<>();
  private int count;

  Disturbance(LocalStack stack, LocalPostgres postgres, long seed) {
    this.stack = stack;
    this.postgres = postgres;
    this.random = new SplittableRandom(seed);
  }

  /**
   * Disturbs the stack in the next way, and returns when everything is there again.
   *
   * @return what was done, in words
   */
  String next() throws CommandException, InterruptedException {
    Kind kind = Kind.values()[count++ % Kind.values().length];
    switch (kind) {
      case ONLINE_STORE_AWAY -> {
        stack.redis().stop();
        Thread.sleep(AWAY.toMillis());
        stack.redis().restart();
      }
      case OFFLINE_STORE_AWAY -> {
        postgres.stop();
        Thread.sleep(AWAY.toMillis());
        postgres.restart();
      }
      case BUS_AWAY -> {
        stack.kafka().stop();
        Thread.sleep(AWAY.toMillis());
        stack.kafka().restart();
      }
      case WRITER_RESTORED -> {
        RunningWriter writer = any(stack.writers());
        starts.merge(writer.name(), 1, Integer::sum);
        var unused = stack.restartFromSavepoint(writer);
        return writer.name() + " restored";
      }
      case WRITER_KILLED -> {
        // The summaries of a minute are in the state of the metrics writer alone.
        RunningWriter writer =
            any(
                stack.writers().stream()
                    .filter(it -> !it.name().equals(MetricsWriter.WRITER.name()))
                    .toList());
        starts.merge(writer.name(), 1, Integer::sum);
        var unused = stack.restartWithoutState(writer);
        return writer.name() + " killed";
      }
    }
    return kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /** Returns how often each writer was started anew, by its name. */
  Map<String, Integer> starts() {
    return Map.copyOf(starts);
  }

  private RunningWriter any(List<RunningWriter> writers) {
    return writers.get(random.nextInt(writers.size()));
  }
}
