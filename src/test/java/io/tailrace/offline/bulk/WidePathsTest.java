package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.Micros;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.result.ValueType;
import io.tailrace.v1.BulkUpload;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.checkerframework.checker.nullness.qual.Nullable;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/**
 * That any file becomes the same rows by DuckDB's own statements and by decoding, whatever keys,
 * types, nulls and repetitions it has.
 */
public class WidePathsTest {
  private static final int FILES = 6;

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void bothWaysMakeTheSameRows() throws Exception {
    long decoded = 0;
    for (int seed = 0; seed < FILES; seed++) {
      Random random = new Random(seed);
      ResultBucket bucket = new ResultBucket("file://" + folder.newFolder());
      Contents contents = contents(random, seed);
      BulkUpload upload =
          write(
              random,
              "wö\u0000rd'",
              contents,
              OfflineResults.of(contents).withFileRows(40).into(bucket.uri() + "/r"));
      OfflineStore bySql = store();
      OfflineStore byRow = store();

      LoadCounts ofSql = load(bySql, bucket, upload, false);
      LoadCounts ofRows = load(byRow, bucket, upload, true);

      for (FeatureColumn feature : contents.mapping().features()) {
        String query =
            "SELECT * EXCLUDE (inserted_at) FROM prod."
                + feature.feature().replace(".", "__")
                + " ORDER BY observation_id";
        assertWithMessage("%s of %s", feature, seed)
            .that(bySql.reader().query(query, 10_000).rows())
            .isEqualTo(byRow.reader().query(query, 10_000).rows());
      }
      assertThat(ofSql.rowsInserted.unflushed()).isEqualTo(ofRows.rowsInserted.unflushed());
      assertThat(ofRows.rowsDecoded.unflushed()).isEqualTo(ofRows.rowsRead.unflushed());
      decoded += ofSql.rowsRead.unflushed() - ofSql.rowsDecoded.unflushed();
    }
    // Most rows must have gone by DuckDB's statements, or nothing was compared.
    assertThat(decoded).isGreaterThan(300);
  }

  private OfflineStore store() throws Exception {
    return OfflineStores.at("duckdb://" + folder.newFolder() + "/a.db?schema={environment}");
  }

  private static LoadCounts load(
      OfflineStore store, ResultBucket bucket, BulkUpload upload, boolean rowByRow)
      throws Exception {
    BusMessage message =
        BusMessage.of(
            NotificationFormat.json(upload).getBytes(UTF_8),
            Place.numbered("bulk-upload", 0, 1),
            MessageTime.ofBus(Micros.now()));
    LoadCounts counts = new LoadCounts();
    BulkLoader opened = store.bulkLoads().orElseThrow().open();
    try (BulkLoader loader =
        rowByRow ? new BulkLoader(WideLoads.NONE, opened.rows(), opened.ledger()) : opened) {
      NotificationLoad load =
          new NotificationLoad(
              new LoadResultFiles.Rules(bucket, Set.of(), Duration.ofMinutes(5)),
              loader,
              counts,
              NotificationFormat.decode(message));
      long unused = load.run();
      assertThat(load.failure()).isEqualTo(Optional.empty());
    }
    return counts;
  }

  static Contents contents(Random random, int seed) {
    List<FeatureColumn> features = new ArrayList<>();
    for (ValueType type : ValueType.values()) {
      if (random.nextInt(4) > 0) {
        String name = type.name().toLowerCase(Locale.ROOT);
        features.add(
            new FeatureColumn(
                "n",
                "n." + name,
                name,
                new Kind(type, random.nextBoolean() ? Nulls.COMPUTED : Nulls.NOT_COMPUTED),
                random.nextBoolean() ? "it's " + name : ""));
      }
    }
    if (features.isEmpty()) {
      features.add(ResultFilesContract.feature("age", ValueType.INT64));
    }
    return new Contents(
        "ö'p-" + seed,
        "prod",
        random.nextBoolean() ? "d'1" : "",
        new WideMapping(
            "k\"ey", random.nextBoolean() ? new Time("a t", 0) : new Time("", -1), features));
  }

  /**
   * Writes a file of any values.
   *
   * @param word what texts have in them
   */
  static BulkUpload write(Random random, String word, Contents contents, OfflineResults to)
      throws Exception {
    boolean strings = random.nextBoolean();
    // Now and then a key is there twice at one time.
    int keys = random.nextInt(3) == 0 ? 20 : 100_000;
    try (OfflineResults results = to) {
      for (int row = 0; row < 60; row++) {
        long key = (long) random.nextInt(keys) - keys / 2;
        List<@Nullable Object> values = new ArrayList<>();
        for (FeatureColumn feature : contents.mapping().features()) {
          values.add(random.nextInt(5) == 0 ? null : value(random, word, feature.kind().type()));
        }
        results.add(
            strings ? (Object) ("käy'" + key) : (Object) key,
            -1_000_000 + random.nextInt(2_000_000),
            values);
      }
      return results.finish();
    }
  }

  private static Object value(Random random, String word, ValueType type) {
    return switch (type) {
      case INT64 -> random.nextLong() >> random.nextInt(64);
      case FLOAT64 ->
          switch (random.nextInt(4)) {
            case 0 -> -0.0;
            case 1 -> Double.NaN;
            case 2 -> Double.NEGATIVE_INFINITY;
            default -> random.nextGaussian();
          };
      case BOOL -> random.nextBoolean();
      case STRING -> random.nextInt(3) == 0 ? "" : word + random.nextInt(9);
      case BYTES -> new byte[random.nextInt(3)];
      case TIMESTAMP -> Instant.ofEpochSecond(random.nextInt(), 1_000L * random.nextInt(999_999));
      case DATE -> LocalDate.ofEpochDay(random.nextInt(100_000) - 50_000);
      case VECTOR -> new float[] {-0.0f, random.nextFloat()};
      case JSON -> "{\"a\": " + random.nextInt(9) + "}";
    };
  }
}
