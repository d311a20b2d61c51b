package io.tailrace.pipelines.benchmark;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.benchmark.rivals.HandWrittenConsumer.Ordering;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.commons.io.FileUtils;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code benchmark online}: rates of the online writer and its rivals, and freshness. Rivals take
 * turns, round by round, on the same broker, Redis and topics; of each the median round counts,
 * since other work on the machine disturbs single rounds.
 */
@Command(
    name = "online",
    description = {
      "Measures the online writer against hand-written consumers and RedisIO,",
      "one after another on the same Kafka and Redis.",
      "Prints a table and writes target/benchmarks/online.json."
    },
    mixinStandardHelpOptions = true)
final class OnlineBenchmarkCommand implements Callable<Integer> {
  private static final int LARGE_MESSAGES = 50;

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BenchmarkOptions options = new BenchmarkOptions();

  @Option(
      names = "--freshnessRate",
      description = "Results a second while freshness is measured (default: ${DEFAULT-VALUE}).",
      defaultValue = "20000")
  private int freshnessRate;

  @Option(
      names = "--memoryHeap",
      description =
          "Heap of the JVM that drains a backlog with large messages (default: ${DEFAULT-VALUE}).",
      defaultValue = "256m")
  private String memoryHeap = "256m";

  @Option(
      names = "--only",
      split = ",",
      description = "Parts to run: uniform, zipf, topics, freshness, memory (default: all).",
      defaultValue = "uniform,zipf,topics,freshness,memory")
  private List<String> parts = List.of();

  @Option(
      names = "--onlineStore",
      paramLabel = "URI",
      description =
          "dynamodb://REGION/TABLE counts requests and units on a simulated DynamoDB instead, with"
              + " one, two and four writers at once, beside DynamoDBIO (default: a Redis).")
  private @Nullable String onlineStore;

  @Override
  public Integer call()
      throws CommandException, IOException, InterruptedException, ExecutionException {
    Figures figures = new Figures(spec);
    if (onlineStore != null) {
      try {
        new DynamoDbBenchmark(onlineStore, options.results(), figures).run();
      } catch (IllegalArgumentException e) {
        throw new CommandException(String.valueOf(e.getMessage()), e);
      }
      figures.finish(options.output("dynamodb"));
      return 0;
    }
    Path directory = Files.createTempDirectory("tailrace-benchmark");
    try (OnlineBenchmark benchmark = new OnlineBenchmark(directory, options.writerOptions())) {
      figures.fact("redis", benchmark.redisVersion());
      figures.fact("writer_options", String.join(" ", benchmark.writerOptions()));
      for (BenchmarkTraffic.Keys keys : BenchmarkTraffic.Keys.values()) {
        if (parts.contains(name(keys))) {
          rates(benchmark, keys, figures);
        }
      }
      if (parts.contains("topics")) {
        topics(benchmark, figures);
      }
      if (parts.contains("freshness")) {
        freshness(benchmark, figures);
      }
      if (parts.contains("memory")) {
        memory(benchmark, figures);
      }
    } finally {
      FileUtils.deleteQuietly(directory.toFile());
    }
    figures.finish(options.output("online"));
    return 0;
  }

  private static String name(BenchmarkTraffic.Keys keys) {
    return keys.name().toLowerCase(Locale.ROOT);
  }

  private void rates(OnlineBenchmark benchmark, BenchmarkTraffic.Keys keys, Figures figures)
      throws CommandException, InterruptedException {
    String topic = name(keys);
    figures.say("%s: publishing %d results", topic, options.results());
    benchmark.publish(
        topic, keys, options.results(), OnlineBenchmark.PARALLELISM, entity -> entity & 1);
    double[] unordered = new double[options.rounds()];
    double[] scripted = new double[options.rounds()];
    double[] writer = new double[options.rounds()];
    // The first round is a warm-up of its own: the compiler has seen nothing yet.
    for (int round = -1; round < options.rounds(); round++) {
      double a = benchmark.handWritten(topic, options.results(), Ordering.NONE);
      double d = benchmark.writer(topic, options.results());
      double b = benchmark.handWritten(topic, options.results(), Ordering.SCRIPT_PER_FIELD);
      if (round >= 0) {
        unordered[round] = a;
        scripted[round] = b;
        writer[round] = d;
      }
      figures.say(
          "%s %s: unordered %,.0f/s, scripted %,.0f/s, writer %,.0f/s",
          topic, round < 0 ? "warm-up" : "round " + (round + 1), a, b, d);
    }
    double[] redisIo = new double[options.rounds()];
    Arrays.fill(redisIo, benchmark.redisIo(topic, options.results()));
    figures.put(topic + ".unordered_results_per_s", unordered);
    figures.put(topic + ".scripted_results_per_s", scripted);
    figures.put(topic + ".redis_io_results_per_s", redisIo);
    figures.put(topic + ".writer_results_per_s", writer);
    figures.putRatio(topic + ".writer_vs_unordered", writer, unordered);
    figures.putRatio(topic + ".writer_vs_scripted", writer, scripted);
    figures.putRatio(topic + ".writer_vs_redis_io", writer, redisIo);
  }

  /** Topics whose partitions are filled unevenly: none should be read at less than full speed. */
  private void topics(OnlineBenchmark benchmark, Figures figures)
      throws CommandException, InterruptedException {
    BenchmarkTraffic.Keys uniform = BenchmarkTraffic.Keys.UNIFORM;
    long some = options.results() / 2;
    figures.say("topics: publishing");
    benchmark.publish("even", uniform, some, 4, entity -> entity & 3);
    benchmark.publish("skewed", uniform, some, 4, entity -> entity % 10 < 9 ? 0 : 1 + entity % 3);
    benchmark.publish("empty-beside-full", uniform, some, 4, entity -> 0);
    benchmark.publish("single", uniform, some, 1, entity -> 0);
    for (String topic : List.of("even", "skewed", "empty-beside-full", "single")) {
      double rate = benchmark.writer(topic, some);
      figures.put("topics." + topic.replace('-', '_') + "_results_per_s", rate);
      figures.say("topic %s: writer %,.0f/s", topic, rate);
    }
  }

  private void freshness(OnlineBenchmark benchmark, Figures figures)
      throws CommandException, InterruptedException {
    figures.say("freshness: %d results/s for half a minute", freshnessRate);
    OnlineBenchmark.Freshness freshness = benchmark.freshness(freshnessRate);
    figures.put("freshness_ms.p50", freshness.p50Millis());
    figures.put("freshness_ms.p99", freshness.p99Millis());
    figures.put("freshness.results_per_s", freshness.publishedPerSecond());
  }

  private void memory(OnlineBenchmark benchmark, Figures figures)
      throws IOException, InterruptedException, ExecutionException {
    figures.say(
        "memory: -Xmx%s drains %d results and %d messages of 8 MB",
        memoryHeap, options.results(), LARGE_MESSAGES);
    OnlineBenchmark.Drain drain = benchmark.drain(options.results(), LARGE_MESSAGES, memoryHeap);
    figures.put("memory.drain_results_per_s", drain.resultsPerSecond());
    figures.put("memory.peak_heap_after_gc_mb", drain.peakHeapMegabytes());
    figures.fact("memory_heap", memoryHeap);
  }
}
