package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection.BatchInserted;
import io.tailrace.parquet.FileBytes;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ForeignFile;
import io.tailrace.parquet.JsonText;
import io.tailrace.parquet.MisleadingFile;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationIds;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.result.ValueType;
import io.tailrace.testing.OfflineConnections;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That every row is in DuckDB once, however often and by how many its file is inserted. */
public class DuckDbInsertTest {
  private static final long T = RandomResults.START;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private OfflineStore store;
  private BatchConnection connection;

  @Before
  public void connect() {
    store = OfflineStores.at("duckdb://" + folder.getRoot() + "/offline.db");
    connection = OfflineConnections.to(store);
  }

  @After
  public void close() {
    connection.close();
  }

  @Test
  public void filesThatComeAgainChangeNothing() throws Exception {
    List<ObservationFile> files = randomFiles();
    long all = files.stream().mapToLong(ObservationFile::rowCount).sum();
    long distinct = distinct(files);

    assertThat(Batches.insert(connection, files))
        .isEqualTo(new BatchInserted(distinct, all - distinct, List.of()));
    assertThat(Batches.insert(connection, files)).isEqualTo(new BatchInserted(0, all, List.of()));
    assertThat(countRows()).isEqualTo(distinct);
  }

  @Test
  public void aFileThatIsTwiceInABatchIsInsertedOnce() throws Exception {
    List<ObservationFile> files = randomFiles();
    long all = files.stream().mapToLong(ObservationFile::rowCount).sum();
    List<ObservationFile> twice = new ArrayList<>(files);
    twice.addAll(files);
    long distinct = distinct(files);

    assertThat(Batches.insert(connection, twice))
        .isEqualTo(new BatchInserted(distinct, 2 * all - distinct, List.of()));
    assertThat(countRows()).isEqualTo(distinct);
  }

  @Test
  public void ofRowsWithTheSameIdTheGreatestCellStands() throws Exception {
    // The greater one second: compared as bytes, where a negative number is the greatest.
    Map<ValueType, List<String>> values = new EnumMap<>(ValueType.class);
    values.put(ValueType.INT64, List.of("9::BIGINT", "-1::BIGINT"));
    values.put(ValueType.FLOAT64, List.of("-1::DOUBLE", "-2::DOUBLE"));
    values.put(ValueType.BOOL, List.of("false", "true"));
    values.put(ValueType.STRING, List.of("'Z'", "'a'"));
    values.put(ValueType.BYTES, List.of("'\\x00'::BLOB", "'\\xFF'::BLOB"));
    values.put(
        ValueType.TIMESTAMP,
        List.of("TIMESTAMPTZ '2026-01-01 00:00:00+00'", "TIMESTAMPTZ '1969-01-01 00:00:00+00'"));
    values.put(ValueType.DATE, List.of("DATE '2026-01-01'", "DATE '1969-01-01'"));
    values.put(ValueType.VECTOR, List.of("[1, 9]::FLOAT[]", "[-1, 0]::FLOAT[]"));
    values.put(ValueType.JSON, List.of("'[1]'::JSON", "'{}'::JSON"));
    for (Map.Entry<ValueType, List<String>> value : values.entrySet()) {
      String table = "v" + value.getKey().code();
      String lesser = sameId(table, "ann", value.getValue().get(0));
      String greater = sameId(table, "ann", value.getValue().get(1));
      String nothing = sameId(table, "bob", "NULL");
      String something = sameId(table, "bob", value.getValue().get(1));

      Batches.insert(
          connection,
          List.of(
              ForeignFile.of(value.getKey(), greater, lesser, something).file(),
              ForeignFile.of(value.getKey(), lesser, nothing, something).file()));

      assertThat(
              rows(
                  "SELECT value IS NOT DISTINCT FROM "
                      + value.getValue().get(1)
                      + ", pkey FROM tailrace.user__"
                      + table
                      + " ORDER BY pkey"))
          .containsExactly("[true, ann]", "[false, bob]")
          .inOrder();
      assertThat(rows("SELECT value FROM tailrace.user__" + table + " WHERE pkey = 'bob'"))
          .containsExactly("[null]");
    }
  }

  @Test
  public void valuesAtTheEndOfAllDaysFoldLikeOthers() throws Exception {
    QueryResult result =
        Results.of(
            Results.user("ann", times(Long.MAX_VALUE, Column.Type.TIMESTAMP)),
            Results.user("bob", times(Long.MIN_VALUE, Column.Type.TIMESTAMP)),
            Results.user("ann", times(Integer.MAX_VALUE, Column.Type.DATE)),
            Results.user("bob", times(Integer.MIN_VALUE, Column.Type.DATE)));
    List<ObservationFile> files = BundleEncoder.files(result, result);

    assertThat(Batches.insert(connection, files).rows()).isEqualTo(5);
    assertThat(Batches.insert(connection, files).rows()).isEqualTo(0);
  }

  @Test
  public void observationsOfAnyTimeAreInsertedOnce() throws Exception {
    long[] times = {-62_135_596_800_000_000L, -1, 0, 253_402_300_799_999_999L};
    int known = 0;
    for (long time : times) {
      ObservationFile file = numbers("user.age", time);
      assertThat(file.earliest()).isEqualTo(time);
      assertThat(Batches.insert(connection, List.of(file)).rows()).isEqualTo(1);
      assertThat(Batches.insert(connection, List.of(file)).rows()).isEqualTo(0);
      assertThat(countRows()).isEqualTo(++known);
    }
    assertThat(Batches.insert(connection, List.of(numbers("user.age", times))))
        .isEqualTo(new BatchInserted(0, times.length, List.of()));
  }

  @Test
  public void whatTheEncoderTakesForJsonDuckDbTakesToo() throws Exception {
    List<String> texts = new ArrayList<>();
    for (String text :
        List.of(
            "{}",
            " [ ] ",
            "null",
            "-0",
            "1e999",
            "-1E-999",
            "9".repeat(400),
            "0.10",
            "\"\"",
            "\"\\u0000\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\ude00x\"",
            "{\"a\":1,\"a\":2}",
            "[".repeat(3_000) + "]".repeat(3_000),
            "01",
            "+1",
            "[1,]",
            "NaN",
            "'a'",
            "{a:1}",
            "//",
            "\"\t\"",
            "\"\\x\"",
            "\u00a01",
            "tru",
            "1 ",
            "\ufeff1",
            "{\"\\ud800\":1}")) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      if (JsonText.whyNotEverywhere(bytes, 0, bytes.length) == null) {
        texts.add(text);
      }
    }
    assertThat(texts.size()).isAtLeast(13);
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      keys.add("u" + i);
    }
    Column column =
        Results.string("profile", T, "").toBuilder()
            .setType(Column.Type.JSON)
            .clearStringValues()
            .addAllJsonValues(texts)
            .build();

    List<ObservationFile> files = BundleEncoder.files(Results.of(Results.users(keys, column)));

    // And a row of the log of queries.
    assertThat(Batches.insert(connection, files).rows()).isEqualTo(texts.size() + 1);
  }

  @Test
  public void aFileMayBeNamedLikeItsSchema() throws Exception {
    OfflineStore same = OfflineStores.at("duckdb://" + folder.getRoot() + "/tailrace.db");
    List<ObservationFile> files =
        BundleEncoder.files(Results.of(Results.user("ann", Results.int64("age", T, 1))));
    try (BatchConnection own = OfflineConnections.to(same)) {
      assertThat(Batches.insert(own, files).rows()).isEqualTo(2);
      assertThat(Batches.insert(own, files).rows()).isEqualTo(0);
    }
    assertThat(same.reader().query("FROM tailrace.tailrace.user__age", 9).rows()).hasSize(1);
  }

  @Test
  public void aFileOfWhichDuckDbReadsLessThanThereIsIsRefused() throws Exception {
    ObservationFile file =
        BundleEncoder.files(Results.of(Results.user("ann", Results.int64("age", T, 1)))).get(0);
    assertThat(file.kind()).isEqualTo(Kind.OBSERVATIONS);
    ObservationFile misleading = MisleadingFile.withRows(2, file);

    ContentRejectedException e =
        assertThrows(
            ContentRejectedException.class, () -> Batches.insert(connection, List.of(misleading)));

    assertThat(e).hasMessageThat().contains("DuckDB reads 1 of 2 rows");
    assertThat(countRows()).isEqualTo(0);
  }

  @Test
  public void theLogIsWrittenBackWhileOthersInsert() throws Exception {
    Path log = folder.getRoot().toPath().resolve("small.db.wal");
    OfflineStore small =
        OfflineStores.at("duckdb://" + folder.getRoot() + "/small.db?logMegabytes=1");
    int results = 0;
    int writtenBack = 0;
    long before = 0;
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    try (BatchConnection own = OfflineConnections.to(small)) {
      while (writtenBack < 3 && System.nanoTime() < deadline) {
        List<String> keys = new ArrayList<>();
        long[] values = new long[2_000];
        for (int row = 0; row < values.length; row++) {
          keys.add("u" + row);
          values[row] = row;
        }
        Batches.insert(
            own,
            BundleEncoder.files(
                Results.named("op-" + results++)
                    .addFrames(Results.users(keys, Results.int64("age", T, values)))
                    .build()));
        long now = Files.exists(log) ? Files.size(log) : 0;
        writtenBack += now < before ? 1 : 0;
        before = now;
      }
    }
    assertThat(writtenBack).isEqualTo(3);
    assertThat(small.reader().query("SELECT count(*) FROM tailrace.user__age", 1).rows().get(0))
        .containsExactly(Integer.toString(2_000 * results));
  }

  @Test
  public void twoConnectionsInsertTheSameFeaturesAtOnce() throws Exception {
    QueryResult.Builder result = Results.named("op");
    for (int i = 0; i < 300; i++) {
      result.addFrames(Results.user("ann", Results.int64("f" + i, T, i)));
    }
    List<ObservationFile> files = BundleEncoder.files(result.build());
    CyclicBarrier start = new CyclicBarrier(2);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    List<Future<BatchInserted>> inserts = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      inserts.add(
          threads.submit(
              () -> {
                try (BatchConnection own = OfflineConnections.to(store)) {
                  start.await();
                  return Batches.insert(own, files);
                }
              }));
    }
    threads.shutdown();

    assertThat(inserts.get(0).get().rows() + inserts.get(1).get().rows()).isEqualTo(301);
    assertThat(inserts.get(0).get().duplicates() + inserts.get(1).get().duplicates())
        .isEqualTo(301);
    assertThat(countRows()).isEqualTo(301);
  }

  @Test
  public void aFileWithoutRowsIsInserted() throws Exception {
    ForeignFile none = ForeignFile.of(ValueType.INT64, sameId("age", "ann", "1::BIGINT"));
    ObservationFile file =
        new ForeignFile(none.columns(), none.rows() + " WHERE false", none.footer()).file();

    assertThat(Batches.insert(connection, List.of(file)).rows()).isEqualTo(0);
  }

  private static Column times(long value, Column.Type type) {
    Column.Builder column =
        Column.newBuilder().setFeature("user." + type).setType(type).addObservedAt(T);
    return type == Column.Type.DATE
        ? column.addDateValues((int) value).build()
        : column.addTimestampValues(value).build();
  }

  private static String sameId(String name, String key, String value) {
    return "('user."
        + name
        + "', '"
        + key
        + "', "
        + value
        + ", TIMESTAMPTZ '2026-01-01 00:00:00+00', 'op')";
  }

  /** Returns a file of times that DuckDB can't make. */
  private static ObservationFile numbers(String feature, long... times) throws Exception {
    MessageType schema = ObservationSchema.observations(true, Optional.of(ValueType.INT64));
    FileBytes bytes = new FileBytes(0);
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(bytes)
            .withConf(new PlainParquetConfiguration())
            .withType(schema)
            .withExtraMetaData(ForeignFile.of(ValueType.INT64, "").footer())
            .build()) {
      for (long time : times) {
        Group row = new SimpleGroup(schema);
        row.append("feature", feature);
        row.append("namespace", feature.substring(0, feature.indexOf('.')));
        row.append(
            "observation_id",
            Binary.fromConstantByteArray(ObservationIds.of("op", feature, "ann", time)));
        row.append("pkey", "ann");
        row.append("value", 1L);
        row.append("observed_at", time);
        row.append("operation_id", "op");
        row.append("deleted", false);
        writer.write(row);
      }
    }
    return FileDecoder.decode(BundleEncoder.message(bytes.toByteArray()));
  }

  private static List<ObservationFile> randomFiles() throws Exception {
    RandomResults random = RandomResults.seeded(51).withDeletions(0.3).withDuplicates(0.1);
    List<QueryResult> results = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      results.add(random.next());
    }
    return BundleEncoder.files(results);
  }

  /** Returns how many ids there are; a deletion and a value never share one here. */
  private static long distinct(List<ObservationFile> files) throws Exception {
    Set<Object> ids = new HashSet<>();
    for (ObservationFile file : files) {
      if (file.kind() == Kind.QUERIES) {
        file.queries().forEach(query -> ids.add(query.operationId()));
      } else {
        ObservationRows rows = file.rows();
        for (int row = 0; row < rows.count(); row++) {
          ids.add(rows.id(row));
        }
      }
    }
    return ids.size();
  }

  /** Returns how many rows all tables have. */
  private long countRows() throws Exception {
    long count = 0;
    for (List<String> table :
        store
            .reader()
            .query(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'tailrace'"
                    + " AND table_name <> 'feature_tables'",
                1_000)
            .rows()) {
      count += rows("FROM tailrace.\"" + table.get(0) + '"').size();
    }
    return count;
  }

  private List<String> rows(String sql) throws UnavailableException {
    return store.reader().query(sql, 1_000).rows().stream().map(Object::toString).toList();
  }
}
