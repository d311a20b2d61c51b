package io.tailrace.pipelines.benchmark;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.LoadResultFiles;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.NotificationFormat;
import io.tailrace.offline.bulk.OfflineResults;
import io.tailrace.offline.bulk.ResultBucket;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.pipelines.benchmark.rivals.NativeBulkLoads;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.BulkUpload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Loads the same files in several ways, each time into a new database. Not thread-safe. */
final class BulkBenchmark implements AutoCloseable {
  /** Features of a row. */
  static final int FEATURES = 10;

  private static final String NAMESPACE = "user";
  private static final String OPERATION = "offline-query";

  private final Path directory;
  private final LocalPostgres postgres;
  private final ResultBucket bucket;
  private List<Path> files = List.of();
  private Optional<BulkUpload> upload = Optional.empty();
  private long rows;
  private int databases;

  BulkBenchmark(Path directory) throws IOException {
    this.directory = directory;
    this.postgres = LocalPostgres.in(directory.resolve("postgres")).start();
    this.bucket = new ResultBucket("file://" + Files.createDirectories(directory.resolve("files")));
  }

  /** The features: of ten, four integers, four numbers and two texts. */
  private static List<FeatureColumn> features() {
    List<FeatureColumn> features = new ArrayList<>();
    for (int i = 0; i < FEATURES; i++) {
      ValueType type = i < 4 ? ValueType.INT64 : i < 8 ? ValueType.FLOAT64 : ValueType.STRING;
      features.add(
          new FeatureColumn(
              NAMESPACE,
              NAMESPACE + ".f" + i,
              "f" + i,
              new Kind(type, Nulls.NOT_COMPUTED),
              "resolvers.f" + i));
    }
    return features;
  }

  /** Writes files with so many rows in all. */
  void write(long count, int fileCount) throws IOException {
    Random random = new Random(1);
    Contents contents =
        new Contents(
            OPERATION, "prod", "", new WideMapping("user_id", new Time("ts", 0), features()));
    long now = Micros.now() - 1_000_000L * count;
    int rowsOfAFile = (int) ((count + fileCount - 1) / fileCount);
    try (OfflineResults results =
        OfflineResults.of(contents).withFileRows(rowsOfAFile).into(bucket.uri() + "/r")) {
      for (long row = 0; row < count; row++) {
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < FEATURES; i++) {
          values.add(
              i < 4
                  ? (Object) (long) random.nextInt(1_000_000)
                  : i < 8 ? random.nextDouble() : "segment " + random.nextInt(1_000));
        }
        results.add("user-" + row, now + row, values);
      }
      upload = Optional.of(results.finish());
    }
    rows = count * FEATURES;
    files =
        upload.get().getFilesList().stream()
            .map(file -> Path.of(file.substring("file://".length())))
            .toList();
  }

  /** Returns how many bytes the files have. */
  double fileBytes() throws IOException {
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  /** Loads into a DuckDB file, and returns rows a second. */
  double duckDb() throws UnavailableException {
    return load("duckdb://" + database() + "?schema={environment}");
  }

  private Path database() {
    return directory.resolve("bulk-" + databases++ + ".db");
  }

  /** Has DuckDB load by itself. */
  double nativeDuckDb() throws SQLException {
    return NativeBulkLoads.duckDb(files, features(), OPERATION, database());
  }

  /** Loads into PostgreSQL. */
  double postgres() throws UnavailableException, SQLException {
    return load(postgres.uri() + "&schema=" + schema());
  }

  private String schema() {
    return "bulk_" + databases++;
  }

  /** Has PostgreSQL copy the same rows. */
  double copy() throws SQLException, IOException {
    return NativeBulkLoads.postgres(
        files, features(), OPERATION, postgres, schema(), directory.resolve("texts"));
  }

  private double load(String uri) throws UnavailableException {
    OfflineStore store = OfflineStores.at(uri);
    BusMessage message =
        BusMessage.of(
            NotificationFormat.json(upload.orElseThrow()).getBytes(UTF_8),
            Place.numbered("bulk-upload", 0, 0),
            MessageTime.ofBus(Micros.now()));
    try (LoadResultFiles.Loading loading = LoadResultFiles.from(bucket).into(store).open()) {
      long start = System.nanoTime();
      Optional<Failure> failure = loading.load(NotificationFormat.decode(message));
      if (failure.isPresent()) {
        throw new IllegalStateException(failure.get().message());
      }
      return rows * 1e9 / (System.nanoTime() - start);
    } catch (InvalidMessageException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    postgres.close();
  }
}
