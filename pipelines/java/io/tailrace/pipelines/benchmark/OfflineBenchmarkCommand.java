package io.tailrace.pipelines.benchmark;

import io.tailrace.offline.OfflineStoreException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.benchmark.OfflineBenchmark.Inserted;
import io.tailrace.result.InvalidResultException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.commons.io.FileUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code benchmark offline}: rates of both writers of the offline path and of their rivals, with
 * few features and with many, and freshness. Rivals take turns, round by round, on the same files;
 * of each the median round counts.
 */
@Command(
    name = "offline",
    description = {
      "Measures the offline path against DuckDB's own insert, JdbcIO and ParquetIO,",
      "one after another on the same Kafka and files.",
      "Prints a table and writes target/benchmarks/offline.json."
    },
    mixinStandardHelpOptions = true)
final class OfflineBenchmarkCommand implements Callable<Integer> {
  private static final int NARROW_NAMESPACES = 1;
  private static final int WIDE_NAMESPACES = 200;

  /** PostgreSQL takes fewer rows in the same time: the part of the results that it gets. */
  private static final int POSTGRES_PART = 5;

  private static final int JDBC_IO_PART = 20;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--results",
      description = "Results in a topic, of ten features each (default: ${DEFAULT-VALUE}).",
      defaultValue = "1000000")
  private long results;

  @Option(
      names = "--rounds",
      description = "Rounds, of which the median counts (default: ${DEFAULT-VALUE}).",
      defaultValue = "3")
  private int rounds;

  @Option(
      names = "--freshnessRate",
      description = "Results a second while freshness is measured (default: ${DEFAULT-VALUE}).",
      defaultValue = "5000")
  private int freshnessRate;

  @Option(
      names = "--output",
      description = "Where the figures go (default: ${DEFAULT-VALUE}).",
      defaultValue = "target/benchmarks/offline.json")
  private Path output = Path.of("target/benchmarks/offline.json");

  @Option(
      names = "--encodeHeap",
      description = "Heap of the offline writer that drains a backlog (default: ${DEFAULT-VALUE}).",
      defaultValue = "256m")
  private String encodeHeap = "256m";

  @Option(
      names = "--insertHeap",
      description =
          "Heap of the streaming-insert writer that drains a backlog (default: ${DEFAULT-VALUE}).",
      defaultValue = "512m")
  private String insertHeap = "512m";

  @Option(
      names = "--duckDbMemory",
      description = "DuckDB's memory limit in that writer (default: ${DEFAULT-VALUE}).",
      defaultValue = "256MB")
  private String duckDbMemory = "256MB";

  @Option(
      names = "--only",
      split = ",",
      description =
          "Parts to run: encode, duckdb, postgres, wide, freshness, memory (default: all).",
      defaultValue = "encode,duckdb,postgres,wide,freshness,memory")
  private List<String> parts = List.of();

  @Option(
      names = "--writerOption",
      description =
          "A pipeline option for the writers under test, such as --writerOption=--maxBundleSize=8000.")
  private List<String> writerOptions = new ArrayList<>();

  @Override
  public Integer call()
      throws CommandException,
          IOException,
          InterruptedException,
          ExecutionException,
          InvalidResultException,
          OfflineStoreException,
          SQLException {
    Figures figures = new Figures(spec);
    Path directory = Files.createTempDirectory("tailrace-benchmark");
    try (OfflineBenchmark benchmark = new OfflineBenchmark(directory, writerOptions)) {
      figures.fact("writer_options", String.join(" ", benchmark.writerOptions()));
      if (parts.contains("encode")) {
        encodeLoops(figures);
      }
      figures.say("publishing %d results", results);
      benchmark.publish("narrow", NARROW_NAMESPACES, results);
      Rates narrow = rates(benchmark, figures, "narrow", NARROW_NAMESPACES);
      if (parts.contains("wide")) {
        figures.say("wide: publishing %d results of %d namespaces", results, WIDE_NAMESPACES);
        benchmark.publish("wide", WIDE_NAMESPACES, results);
        Rates wide = rates(benchmark, figures, "wide", WIDE_NAMESPACES);
        figures.putRatio("wide.encode_vs_narrow", wide.encode, narrow.encode);
        figures.putRatio("wide.duckdb_vs_narrow", wide.insert, narrow.insert);
      }
      if (parts.contains("postgres")) {
        postgres(benchmark, figures);
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
    figures.finish(output);
    return 0;
  }

  private void encodeLoops(Figures figures) throws InvalidResultException, IOException {
    EncodeLoop loop =
        new EncodeLoop(new BenchmarkTraffic(BenchmarkTraffic.Keys.UNIFORM, NARROW_NAMESPACES));
    double[] tailrace = new double[rounds];
    double[] parquetIo = new double[rounds];
    for (int round = 0; round < rounds; round++) {
      tailrace[round] = loop.tailrace();
      figures.put("encode.loop_bytes_per_observation", loop.bytesPerRow());
      parquetIo[round] = loop.parquetIo();
      figures.put("encode.parquet_io_bytes_per_observation", loop.bytesPerRow());
      figures.say(
          "one core, round %d: encoder %,.0f observations/s, ParquetIO's sink %,.0f/s",
          round + 1, tailrace[round], parquetIo[round]);
    }
    figures.put("encode.loop_observations_per_s", tailrace);
    figures.put("encode.parquet_io_observations_per_s", parquetIo);
    figures.putRatio("encode.loop_vs_parquet_io", tailrace, parquetIo);
  }

  /** Observations and rows a second, round by round. */
  private record Rates(double[] encode, double[] insert) {}

  private Rates rates(OfflineBenchmark benchmark, Figures figures, String topic, int namespaces)
      throws CommandException,
          InterruptedException,
          ExecutionException,
          IOException,
          OfflineStoreException,
          SQLException {
    boolean isWide = namespaces > NARROW_NAMESPACES;
    String encode = isWide ? "wide.encode" : "encode";
    String duckDb = isWide ? "wide.duckdb" : "duckdb";
    double[] encoded = new double[rounds];
    // The first round is a warm-up of its own: the compiler has seen nothing yet.
    for (int round = -1; round < rounds; round++) {
      double rate = benchmark.encode(topic, results, topic + "-files-" + (round + 1));
      if (round >= 0) {
        encoded[round] = rate;
      }
      figures.say("%s %s: offline writer %,.0f observations/s", topic, name(round), rate);
    }
    figures.put(encode + ".observations_per_s", encoded);
    if (!parts.contains("duckdb") && !isWide) {
      return new Rates(encoded, new double[rounds]);
    }
    String files = topic + "-files-" + rounds;
    // Alone, DuckDB reads all files for each of the features: with thousands it takes hours.
    List<Path> downloaded = isWide ? List.of() : benchmark.download(files);
    double[] alone = new double[rounds];
    double[] writer = new double[rounds];
    double[] millisPerTable = new double[rounds];
    for (int round = -1; round < rounds; round++) {
      double b = isWide ? 0 : benchmark.nativeDuckDb(downloaded);
      Inserted e = benchmark.insertIntoDuckDb(files, results, namespaces);
      if (round >= 0) {
        alone[round] = b;
        writer[round] = e.rowsPerSecond();
        millisPerTable[round] = e.millisPerTable();
      }
      figures.say(
          "%s %s: DuckDB alone %,.0f rows/s, writer %,.0f rows/s, %.1f ms a table",
          topic, name(round), b, e.rowsPerSecond(), e.millisPerTable());
    }
    figures.put(duckDb + ".writer_rows_per_s", writer);
    figures.put(duckDb + ".writer_ms_per_table", millisPerTable);
    if (!isWide) {
      figures.put(duckDb + ".native_rows_per_s", alone);
      figures.putRatio(duckDb + ".writer_vs_native", writer, alone);
    }
    return new Rates(encoded, writer);
  }

  private void postgres(OfflineBenchmark benchmark, Figures figures)
      throws CommandException, InterruptedException, ExecutionException, SQLException {
    long some = results / POSTGRES_PART;
    long few = results / JDBC_IO_PART;
    figures.say("postgres: publishing %d and %d results", some, few);
    benchmark.publish("some", NARROW_NAMESPACES, some);
    benchmark.publish("few", NARROW_NAMESPACES, few);
    double unused = benchmark.encode("some", some, "some-files");
    unused = benchmark.encode("few", few, "few-files");
    double[] jdbcIo = new double[rounds];
    double[] writer = new double[rounds];
    for (int round = -1; round < rounds; round++) {
      double c = benchmark.jdbcIo("few-files", few);
      // Its log of queries does not count, as the rival writes none.
      double f =
          benchmark.insertIntoPostgres("some-files", some)
              * BenchmarkTraffic.FEATURES
              / (BenchmarkTraffic.FEATURES + 1);
      if (round >= 0) {
        jdbcIo[round] = c;
        writer[round] = f;
      }
      figures.say("postgres %s: JdbcIO %,.0f observations/s, writer %,.0f/s", name(round), c, f);
    }
    figures.put("postgres.jdbcio_observations_per_s", jdbcIo);
    figures.put("postgres.writer_observations_per_s", writer);
    figures.putRatio("postgres.writer_vs_jdbcio", writer, jdbcIo);
  }

  private void freshness(OfflineBenchmark benchmark, Figures figures)
      throws CommandException, InterruptedException, ExecutionException, OfflineStoreException {
    figures.say("freshness: %d results/s for half a minute, after a minute", freshnessRate);
    OfflineBenchmark.Freshness freshness = benchmark.freshness(freshnessRate);
    figures.put("freshness_ms.p50", freshness.p50Millis());
    figures.put("freshness_ms.p99", freshness.p99Millis());
    figures.put("freshness.results_per_s", freshness.resultsPerSecond());
  }

  private void memory(OfflineBenchmark benchmark, Figures figures)
      throws IOException, InterruptedException, ExecutionException {
    figures.say("memory: -Xmx%s drains %d results", encodeHeap, results);
    OfflineBenchmark.Drain encode = benchmark.drainResults("narrow", results, encodeHeap);
    figures.put(
        "memory.encode_observations_per_s", encode.messagesPerSecond() * BenchmarkTraffic.FEATURES);
    figures.put("memory.encode_peak_heap_after_gc_mb", encode.peakHeapMegabytes());
    figures.say("memory: -Xmx%s and %s of DuckDB's insert the files", insertHeap, duckDbMemory);
    OfflineBenchmark.Drain insert =
        benchmark.drainFiles("narrow-files-" + rounds, insertHeap, duckDbMemory);
    figures.put("memory.insert_peak_heap_after_gc_mb", insert.peakHeapMegabytes());
    figures.put("memory.insert_peak_process_mb", insert.peakMemoryMegabytes());
    figures.fact(
        "memory", "encode " + encodeHeap + ", insert " + insertHeap + " + " + duckDbMemory);
  }

  private static String name(int round) {
    return round < 0 ? "warm-up" : "round " + (round + 1);
  }
}
