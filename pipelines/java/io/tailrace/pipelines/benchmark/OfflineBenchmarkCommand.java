package io.tailrace.pipelines.benchmark;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.benchmark.OfflineBenchmark.Inserted;
import io.tailrace.pipelines.benchmark.rivals.EncodeLoop;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.commons.io.FileUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

  /** Together a million observations, each load about what a bundle of half a second has. */
  private static final int STAGED_LOADS = 8;

  private static final int STAGED_RESULTS = 12_500;

  /** PostgreSQL takes fewer rows in the same time: the part of the results that it gets. */
  private static final int POSTGRES_PART = 2;

  private static final int JDBC_IO_PART = 20;

  /** The part of all rows that are no log of queries, which the rival does not write. */
  private static final double OBSERVATIONS =
      BenchmarkTraffic.FEATURES / (BenchmarkTraffic.FEATURES + 1.0);

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BenchmarkOptions options = new BenchmarkOptions();

  @Option(
      names = "--freshnessRate",
      description = "Results a second while freshness is measured (default: ${DEFAULT-VALUE}).",
      defaultValue = "5000")
  private int freshnessRate;

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
          "Parts to run: encode, duckdb, postgres, wide, freshness, memory, staging (default:"
              + " all).",
      defaultValue = "encode,duckdb,postgres,wide,freshness,memory,staging")
  private List<String> parts = List.of();

  @Override
  public Integer call()
      throws CommandException,
          IOException,
          InterruptedException,
          ExecutionException,
          InvalidMessageException,
          UnavailableException,
          SQLException {
    Figures figures = new Figures(spec);
    Path directory = Files.createTempDirectory("tailrace-benchmark");
    try {
      if (parts.contains("staging")) {
        staging(directory.resolve("staging"), figures);
      }
      if (!parts.equals(List.of("staging"))) {
        writers(directory, figures);
      }
    } finally {
      FileUtils.deleteQuietly(directory.toFile());
    }
    figures.finish(options.output("offline"));
    return 0;
  }

  private void staging(Path directory, Figures figures)
      throws IOException, InvalidMessageException, UnavailableException {
    figures.say("staging: %d loads into a simulated Snowflake", STAGED_LOADS);
    double[] statements = new double[STAGED_LOADS - 1];
    double[] millis = new double[STAGED_LOADS - 1];
    double[] ours = new double[STAGED_LOADS - 1];
    long bytes = 0;
    long rows = 0;
    try (StagingBenchmark benchmark =
        new StagingBenchmark(SimulatedWarehouse.snowflake(directory), WIDE_NAMESPACES)) {
      for (int i = 0; i < STAGED_LOADS; i++) {
        StagingBenchmark.Load load = benchmark.load(STAGED_RESULTS);
        bytes += load.bytes();
        rows += load.rows();
        figures.say(
            "load %d: %,d rows, %,d statements, %,d bytes, %,d ms, %,d of them ours",
            i + 1,
            load.rows(),
            load.statements(),
            load.bytes(),
            load.time().toMillis(),
            load.ours().toMillis());
        if (i == 0) {
          // It makes all tables and views.
          figures.put("staging.first_load_statements", (double) load.statements());
          figures.put("staging.first_load_our_ms", (double) load.ours().toMillis());
        } else {
          statements[i - 1] = (double) load.statements();
          millis[i - 1] = (double) load.time().toMillis();
          ours[i - 1] = (double) load.ours().toMillis();
        }
      }
    }
    figures.put("staging.load_statements", statements);
    figures.put("staging.load_ms", millis);
    figures.put("staging.load_our_ms", ours);
    figures.put("staging.observations", (double) rows);
    figures.put("staging.bytes_per_observation", (double) bytes / rows);
  }

  private void writers(Path directory, Figures figures)
      throws CommandException,
          IOException,
          InterruptedException,
          ExecutionException,
          InvalidMessageException,
          UnavailableException,
          SQLException {
    try (OfflineBenchmark benchmark = new OfflineBenchmark(directory, options.writerOptions())) {
      figures.fact("writer_options", String.join(" ", benchmark.writerOptions()));
      if (parts.contains("encode")) {
        encodeLoops(figures);
      }
      figures.say("publishing %d results", options.results());
      benchmark.publish("narrow", NARROW_NAMESPACES, options.results());
      Rates narrow = rates(benchmark, figures, "narrow", NARROW_NAMESPACES);
      if (parts.contains("wide")) {
        figures.say(
            "wide: publishing %d results of %d namespaces", options.results(), WIDE_NAMESPACES);
        benchmark.publish("wide", WIDE_NAMESPACES, options.results());
        Rates wide = rates(benchmark, figures, "wide", WIDE_NAMESPACES);
        figures.putRatio("wide.encode_vs_narrow", wide.encode, narrow.encode);
        if (parts.contains("duckdb")) {
          figures.putRatio("wide.duckdb_vs_narrow", wide.insert, narrow.insert);
        }
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
    }
  }

  private void encodeLoops(Figures figures) throws InvalidMessageException, IOException {
    EncodeLoop loop =
        new EncodeLoop(new BenchmarkTraffic(BenchmarkTraffic.Keys.UNIFORM, NARROW_NAMESPACES));
    double[] tailrace = new double[options.rounds()];
    double[] parquetIo = new double[options.rounds()];
    for (int round = 0; round < options.rounds(); round++) {
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
          UnavailableException,
          SQLException {
    boolean isWide = namespaces > NARROW_NAMESPACES;
    String encode = isWide ? "wide.encode" : "encode";
    String duckDb = isWide ? "wide.duckdb" : "duckdb";
    double[] encoded = new double[options.rounds()];
    // The first round is a warm-up of its own: the compiler has seen nothing yet.
    for (int round = -1; round < options.rounds(); round++) {
      double rate = benchmark.encode(topic, options.results(), topic + "-files-" + (round + 1));
      if (round >= 0) {
        encoded[round] = rate;
      }
      figures.say("%s %s: offline writer %,.0f observations/s", topic, name(round), rate);
    }
    figures.put(encode + ".observations_per_s", encoded);
    if (!parts.contains("duckdb") && !isWide) {
      return new Rates(encoded, new double[options.rounds()]);
    }
    String files = topic + "-files-" + options.rounds();
    // Alone, DuckDB reads all files for each of the features: with thousands it takes hours.
    List<Path> downloaded = isWide ? List.of() : benchmark.download(files);
    double[] alone = new double[options.rounds()];
    double[] writer = new double[options.rounds()];
    double[] millisPerTable = new double[options.rounds()];
    for (int round = -1; round < options.rounds(); round++) {
      double b = isWide ? 0 : benchmark.nativeDuckDb(downloaded);
      Inserted e = benchmark.insertIntoDuckDb(files, options.results(), namespaces);
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
    long some = options.results() / POSTGRES_PART;
    long few = options.results() / JDBC_IO_PART;
    figures.say("postgres: publishing %d and %d results", some, few);
    benchmark.publish("some", NARROW_NAMESPACES, some);
    benchmark.publish("few", NARROW_NAMESPACES, few);
    double unused = benchmark.encode("some", some, "some-files");
    unused = benchmark.encode("few", few, "few-files");
    double[] jdbcIo = new double[options.rounds()];
    double[] withoutIndex = new double[options.rounds()];
    double[] writer = new double[options.rounds()];
    for (int round = -1; round < options.rounds(); round++) {
      double c = benchmark.jdbcIo("few-files", few);
      double f = benchmark.insertIntoPostgres("some-files", some, "") * OBSERVATIONS;
      double g = benchmark.insertIntoPostgres("some-files", some, "&index=none") * OBSERVATIONS;
      if (round >= 0) {
        jdbcIo[round] = c;
        writer[round] = f;
        withoutIndex[round] = g;
      }
      figures.say(
          "postgres %s: JdbcIO %,.0f observations/s, writer %,.0f/s, without second index %,.0f/s",
          name(round), c, f, g);
    }
    figures.put("postgres.jdbcio_observations_per_s", jdbcIo);
    figures.put("postgres.writer_observations_per_s", writer);
    figures.put("postgres.writer_without_index_observations_per_s", withoutIndex);
    figures.putRatio("postgres.writer_vs_jdbcio", writer, jdbcIo);
  }

  private void freshness(OfflineBenchmark benchmark, Figures figures)
      throws CommandException, InterruptedException, ExecutionException, UnavailableException {
    figures.say("freshness: %d results/s for half a minute, after a minute", freshnessRate);
    OfflineBenchmark.Freshness freshness = benchmark.freshness(freshnessRate);
    figures.put("freshness_ms.p50", freshness.p50Millis());
    figures.put("freshness_ms.p99", freshness.p99Millis());
    figures.put("freshness.results_per_s", freshness.resultsPerSecond());
  }

  private void memory(OfflineBenchmark benchmark, Figures figures)
      throws IOException, InterruptedException, ExecutionException {
    figures.say("memory: -Xmx%s drains %d results", encodeHeap, options.results());
    OfflineMemory.Drain encode =
        benchmark.memory().drainResults("narrow", options.results(), encodeHeap);
    figures.put(
        "memory.encode_observations_per_s", encode.messagesPerSecond() * BenchmarkTraffic.FEATURES);
    figures.put("memory.encode_peak_heap_after_gc_mb", encode.peakHeapMegabytes());
    figures.say("memory: -Xmx%s and %s of DuckDB's insert the files", insertHeap, duckDbMemory);
    OfflineMemory.Drain insert =
        benchmark.memory().drainFiles("narrow-files-" + options.rounds(), insertHeap, duckDbMemory);
    figures.put("memory.insert_peak_heap_after_gc_mb", insert.peakHeapMegabytes());
    figures.put("memory.insert_peak_process_mb", insert.peakMemoryMegabytes());
    figures.fact(
        "memory", "encode " + encodeHeap + ", insert " + insertHeap + " + " + duckDbMemory);
  }

  private static String name(int round) {
    return round < 0 ? "warm-up" : "round " + (round + 1);
  }
}
