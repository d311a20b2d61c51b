package io.tailrace.pipelines.benchmark;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import org.apache.commons.io.FileUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code benchmark bulk}: loads of files with results, and what the stores do by themselves. */
@Command(
    name = "bulk",
    description = {
      "Measures loads of files with results into DuckDB and PostgreSQL against the stores' own",
      "loaders of the same rows: DuckDB's INSERT … FROM read_parquet into each feature's table,"
          + " with",
      "ids, and PostgreSQL's COPY into such tables from texts that are made before, neither of"
          + " which",
      "looks for what is there. Prints a table and writes target/benchmarks/bulk.json."
    },
    mixinStandardHelpOptions = true)
final class BulkBenchmarkCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private BenchmarkOptions options = new BenchmarkOptions();

  @Option(
      names = "--files",
      description = "Files that the rows are in (default: ${DEFAULT-VALUE}).",
      defaultValue = "10")
  private int files;

  @Override
  public Integer call() throws CommandException, IOException {
    Figures figures = new Figures(spec);
    // Of ten features each.
    long rows = Math.max(files, options.results() / BulkBenchmark.FEATURES);
    Path directory = Files.createTempDirectory("tailrace-benchmark");
    try (BulkBenchmark benchmark = new BulkBenchmark(directory)) {
      figures.say("writing %,d rows of %d features", rows, BulkBenchmark.FEATURES);
      benchmark.write(rows, files);
      double[] duckDb = new double[options.rounds()];
      double[] nativeDuckDb = new double[options.rounds()];
      double[] postgres = new double[options.rounds()];
      double[] copy = new double[options.rounds()];
      // The first round is a warm-up.
      for (int round = -1; round < options.rounds(); round++) {
        double ours = benchmark.duckDb();
        double theirs = benchmark.nativeDuckDb();
        double oursInPostgres = benchmark.postgres();
        double theirsInPostgres = benchmark.copy();
        if (round >= 0) {
          duckDb[round] = ours;
          nativeDuckDb[round] = theirs;
          postgres[round] = oursInPostgres;
          copy[round] = theirsInPostgres;
        }
        figures.say(
            "%s: DuckDB %,.0f rows/s, by itself %,.0f; PostgreSQL %,.0f rows/s, COPY %,.0f",
            round < 0 ? "warm-up" : "round " + (round + 1),
            ours,
            theirs,
            oursInPostgres,
            theirsInPostgres);
      }
      figures.put("bulk.duckdb_rows_per_s", duckDb);
      figures.put("bulk.duckdb_native_rows_per_s", nativeDuckDb);
      figures.putRatio("bulk.duckdb_vs_native", duckDb, nativeDuckDb);
      figures.put("bulk.postgres_rows_per_s", postgres);
      figures.put("bulk.postgres_copy_rows_per_s", copy);
      figures.putRatio("bulk.postgres_vs_copy", postgres, copy);
      figures.put("bulk.file_bytes", benchmark.fileBytes());
      figures.put("bulk.files", files);
    } catch (SQLException | UnavailableException e) {
      throw new CommandException("The benchmark has failed: " + e.getMessage(), e);
    } finally {
      FileUtils.deleteQuietly(directory.toFile());
    }
    figures.finish(options.output("bulk"));
    return 0;
  }
}
