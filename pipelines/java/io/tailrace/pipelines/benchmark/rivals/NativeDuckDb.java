package io.tailrace.pipelines.benchmark.rivals;

import io.tailrace.parquet.TableNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * What DuckDB does by itself with the files of a topic: {@code INSERT … FROM read_parquet} for each
 * feature's table, and for the log of queries, without looking for what is there. Several files at
 * a time, as many rows as the writer gathers.
 */
public final class NativeDuckDb {
  private static final long BATCH_ROWS = 2_000_000;

  private NativeDuckDb() {}

  /** Files with one type of values, or of the log of queries, where the type is empty. */
  private record Batch(String valueType, List<Path> files) {}

  /** Writes the messages of a topic into a directory, a file each. */
  public static List<Path> download(
      String bootstrapServers, String topic, int partitions, Path directory) throws IOException {
    Files.createDirectories(directory);
    List<Path> files = new ArrayList<>();
    List<TopicPartition> all = new ArrayList<>();
    for (int p = 0; p < partitions; p++) {
      all.add(new TopicPartition(topic, p));
    }
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      while (all.stream().anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          Path file = directory.resolve(files.size() + ".parquet");
          Files.write(file, record.value());
          files.add(file);
        }
      }
    }
    return files;
  }

  /** Inserts files into a new database and returns rows a second, creation of tables excluded. */
  public static double insert(List<Path> files, Path database, int threads) throws SQLException {
    Properties settings = new Properties();
    settings.setProperty("memory_limit", "1GB");
    settings.setProperty("threads", Integer.toString(threads));
    try (Connection connection = DriverManager.getConnection("jdbc:duckdb:" + database, settings);
        Statement statement = connection.createStatement()) {
      List<Batch> batches = batches(statement, files);
      Map<String, List<String>> features = createTables(statement, batches);
      long start = System.nanoTime();
      long rows = 0;
      for (Batch batch : batches) {
        if (batch.valueType.isEmpty()) {
          rows +=
              statement.executeLargeUpdate(
                  "INSERT INTO query_log FROM read_parquet(" + list(batch.files) + ")");
          continue;
        }
        for (String feature : features.getOrDefault(batch.valueType, List.of())) {
          rows +=
              statement.executeLargeUpdate(
                  "INSERT INTO "
                      + TableNames.ofFeature(feature)
                      + " SELECT * EXCLUDE (feature), current_timestamp FROM read_parquet("
                      + list(batch.files)
                      + ") WHERE feature = '"
                      + feature
                      + "'");
        }
      }
      statement.execute("CHECKPOINT");
      return rows * 1e9 / (System.nanoTime() - start);
    }
  }

  private static List<Batch> batches(Statement statement, List<Path> files) throws SQLException {
    Map<String, String> types = new HashMap<>();
    try (ResultSet found =
        statement.executeQuery(
            "SELECT file_name, decode(value) FROM parquet_kv_metadata("
                + list(files)
                + ") WHERE decode(key) = 'tailrace.value_type'")) {
      while (found.next()) {
        types.put(found.getString(1), found.getString(2));
      }
    }
    Map<String, Long> rowsOf = new HashMap<>();
    try (ResultSet found =
        statement.executeQuery(
            "SELECT file_name, num_rows FROM parquet_file_metadata(" + list(files) + ")")) {
      while (found.next()) {
        rowsOf.put(found.getString(1), found.getLong(2));
      }
    }
    List<Batch> batches = new ArrayList<>();
    Map<String, List<Path>> open = new TreeMap<>();
    Map<String, Long> rows = new HashMap<>();
    for (Path file : files) {
      String type = types.getOrDefault(file.toString(), "");
      List<Path> batch = open.computeIfAbsent(type, unused -> new ArrayList<>());
      batch.add(file);
      long held = rows.merge(type, rowsOf.getOrDefault(file.toString(), 0L), Long::sum);
      if (held >= BATCH_ROWS) {
        batches.add(new Batch(type, batch));
        open.remove(type);
        rows.remove(type);
      }
    }
    open.forEach((type, batch) -> batches.add(new Batch(type, batch)));
    return batches;
  }

  /** Creates the tables and returns the features by type. */
  private static Map<String, List<String>> createTables(Statement statement, List<Batch> batches)
      throws SQLException {
    Map<String, List<Path>> byType = new TreeMap<>();
    for (Batch batch : batches) {
      byType.computeIfAbsent(batch.valueType, unused -> new ArrayList<>()).addAll(batch.files);
    }
    Map<String, List<String>> features = new TreeMap<>();
    for (Map.Entry<String, List<Path>> type : byType.entrySet()) {
      String from = " FROM read_parquet(" + list(type.getValue()) + ")";
      if (type.getKey().isEmpty()) {
        statement.execute("CREATE TABLE query_log AS" + from + " LIMIT 0");
        continue;
      }
      List<String> names = new ArrayList<>();
      try (ResultSet found = statement.executeQuery("SELECT DISTINCT feature" + from)) {
        while (found.next()) {
          names.add(found.getString(1));
        }
      }
      names.sort(null);
      for (String feature : names) {
        statement.execute(
            "CREATE TABLE "
                + TableNames.ofFeature(feature)
                + " AS SELECT * EXCLUDE (feature), current_timestamp AS inserted_at"
                + from
                + " LIMIT 0");
      }
      features.put(type.getKey(), names);
    }
    return features;
  }

  private static String list(List<Path> files) {
    return files.stream().map(file -> "'" + file + "'").collect(Collectors.joining(",", "[", "]"));
  }
}
