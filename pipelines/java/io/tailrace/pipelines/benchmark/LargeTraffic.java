package io.tailrace.pipelines.benchmark;

import com.google.protobuf.ByteString;
import io.tailrace.endpoint.Micros;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.Column;
import io.tailrace.v1.ColumnMapping;
import io.tailrace.v1.FeatureColumn;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.duckdb.DuckDBDriver;

/**
 * Messages that are small on a bus that compresses, and large in memory. Not thread-safe.
 *
 * @param many how many of the least there are; of the others there are fewer
 */
record LargeTraffic(int many) {
  private static final int MEGABYTE = 1 << 20;

  /** Results of this many bytes compress to a twentieth, or less. */
  private static final int TEXT_BYTES = 200_000;

  private static final int WIDE_COLUMNS = 5_000;
  private static final int NUMBERS = 4_000_000;
  private static final int ROW_BYTES = 1_000;

  /** Takes a message, so that no more than one has to be in memory. */
  interface Taker {
    void take(byte[] message);
  }

  /** Megabytes of zeros, which are no message of any bus. */
  private static void zeros(int count, Taker taker) {
    for (int i = 0; i < count; i++) {
      taker.take(new byte[MEGABYTE]);
    }
  }

  /**
   * Messages of the result bus: zeros, results of long texts, results of many columns and one
   * entity, and results of many numbers of a byte.
   *
   * @return how many
   */
  int results(Taker taker) {
    zeros(many, taker);
    for (int i = 0; i < many; i++) {
      taker.take(texts(i));
    }
    for (int i = 0; i < many / 10; i++) {
      taker.take(wide(i));
    }
    // The last are of an eighth, which take less than the heap of a small writer has for one.
    for (int i = 0; i < numbersOf(many); i++) {
      taker.take(numbers(i, i % 2 == 0 ? NUMBERS : NUMBERS / 8));
    }
    return 2 * many + many / 10 + numbersOf(many);
  }

  private static int numbersOf(int many) {
    return Math.max(2, many / 50);
  }

  private static QueryResult.Builder result(String id) {
    return QueryResult.newBuilder()
        .setOperationId(id)
        .setEnvironmentId(BenchmarkTraffic.ENVIRONMENT)
        .setQueryTimestamp(Micros.now());
  }

  private static Column.Builder column(String name, Column.Type type) {
    return Column.newBuilder()
        .setFeature("large." + name)
        .setType(type)
        .setResolverFqn("resolvers.large")
        .setMaxStaleness(Micros.now())
        .addObservedAt(Micros.now());
  }

  private static byte[] texts(int number) {
    Frame.Builder frame = Frame.newBuilder().setNamespace("large");
    Column.Builder column = column("text", Column.Type.STRING);
    int rows = 100;
    for (int row = 0; row < rows; row++) {
      frame.addInt64Keys(row);
      column.addStringValues(("text of " + number + " ").repeat(TEXT_BYTES / rows / 12));
    }
    return result("text-" + number).addFrames(frame.addColumns(column)).build().toByteArray();
  }

  private static byte[] wide(int number) {
    Frame.Builder frame = Frame.newBuilder().setNamespace("large").addInt64Keys(number % 5);
    for (int c = 0; c < WIDE_COLUMNS; c++) {
      // Too many tables are another benchmark's affair.
      frame.addColumns(column("f" + c, Column.Type.INT64).setSkipOffline(true).addInt64Values(c));
    }
    return result("wide-" + number).addFrames(frame).build().toByteArray();
  }

  private static byte[] numbers(int number, int rows) {
    Frame.Builder frame = Frame.newBuilder().setNamespace("large");
    Column.Builder column = column("number", Column.Type.INT64).setSkipOffline(true);
    for (int row = 0; row < rows; row++) {
      frame.addInt64Keys(row & 31);
      column.addInt64Values(row & 31);
    }
    return result("numbers-" + number).addFrames(frame.addColumns(column)).build().toByteArray();
  }

  /**
   * Messages of the streaming-insert bus: zeros, and Parquet files that decode to 64 MB, and to an
   * eighth of that.
   *
   * @param directory for a file at a time
   * @return how many
   */
  int files(Path directory, Taker taker) throws SQLException, IOException {
    zeros(many, taker);
    List<byte[]> files = new ArrayList<>();
    for (int rows : new int[] {64 * MEGABYTE / ROW_BYTES, 8 * MEGABYTE / ROW_BYTES}) {
      files.add(file(directory.resolve("large.parquet"), rows));
    }
    for (int i = 0; i < many / 10; i++) {
      taker.take(files.get(i % 2));
    }
    return many + many / 10;
  }

  /**
   * Messages of the bulk-upload bus: zeros, and messages that name a file of 64 MB, decoded.
   *
   * @param bucket for the file
   * @return how many
   */
  int uploads(Path bucket, Taker taker) throws SQLException, IOException {
    zeros(many, taker);
    Path file = Files.createDirectories(bucket).resolve("large.parquet");
    var unused = file(file, 64 * MEGABYTE / ROW_BYTES);
    for (int i = 0; i < numbersOf(many); i++) {
      taker.take(upload(i, file));
    }
    return many + numbersOf(many);
  }

  private static byte[] upload(int number, Path file) {
    return BulkUpload.newBuilder()
        .setOperationId("upload-" + number)
        .setEnvironmentId(BenchmarkTraffic.ENVIRONMENT)
        .addFiles(file.toUri().toString())
        .setMapping(
            ColumnMapping.newBuilder()
                .setPrimaryKeyColumn("pkey")
                .setObservedAtColumn("observed_at")
                .addFeatures(
                    FeatureColumn.newBuilder()
                        .setFeature("large.upload")
                        .setColumn("value")
                        .setType(Column.Type.STRING)))
        .build()
        .toByteArray();
  }

  private static byte[] file(Path path, int rows) throws SQLException, IOException {
    try (Connection duckDb = new DuckDBDriver().connect("jdbc:duckdb:", new Properties());
        Statement statement = duckDb.createStatement()) {
      statement.execute(
          "COPY (SELECT 'large.file' AS feature, i AS pkey, repeat('x', "
              + ROW_BYTES
              + ") || i AS value, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS observed_at,"
              + " 'op-' || (i % 10) AS operation_id FROM range("
              + rows
              + ") AS numbers(i)) TO '"
              + path
              + "' (FORMAT parquet, COMPRESSION zstd, KV_METADATA {'tailrace.kind':"
              + " 'observations', 'tailrace.schema_version': '1', 'tailrace.value_type': 'STRING',"
              + " 'tailrace.environment_id': '"
              + BenchmarkTraffic.ENVIRONMENT
              + "'})");
      return Files.readAllBytes(path);
    }
  }

  /**
   * Messages of the metrics bus: zeros, and what looks like a summary of many texts.
   *
   * @return how many
   */
  int summaries(Taker taker) {
    zeros(many, taker);
    byte[] odd = ByteString.copyFromUtf8("odd ".repeat(TEXT_BYTES / 4)).toByteArray();
    for (int i = 0; i < many; i++) {
      taker.take(odd);
    }
    return 2 * many;
  }
}
