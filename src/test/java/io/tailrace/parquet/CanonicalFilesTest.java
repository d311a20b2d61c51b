package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.offline.BundleEncoder;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.junit.Test;

/** That a store gets the same bytes for the same rows, whoever wrote them and how. */
public class CanonicalFilesTest {
  private static final long T = RandomResults.START;

  /** A row as everybody writes it. */
  private record Row(String feature, long key, Long value, long observedAt, String operation) {}

  @Test
  public void ourOwnFilesAreCanonicalAsTheyAre() throws Exception {
    List<QueryResult> results = new ArrayList<>();
    RandomResults random = RandomResults.seeded(61).withDeletions(0.3).withRowsUpTo(20);
    for (int i = 0; i < 100; i++) {
      results.add(random.next());
    }
    try (BundleEncoder encoder = new BundleEncoder()) {
      for (byte[] file : encoder.encode(results).files()) {
        assertThat(FileDecoder.decode(BundleEncoder.message(file)).bytes()).isSameInstanceAs(file);
      }
    }
  }

  /**
   * The same rows, written by Parquet's own writer in any order, in many or few row groups, with
   * times and values of any width and columns left out, are the bytes that our encoder makes.
   */
  @Test
  public void anyWriterAndOrderMakeTheBytesOfOurEncoder() throws Exception {
    for (int seed = 0; seed < 40; seed++) {
      Random random = new Random(seed);
      List<Row> rows = rows(random);
      byte[] ours = encoded(rows);
      List<Row> shuffled = new ArrayList<>(rows);
      Collections.shuffle(shuffled, random);

      byte[] foreign = foreign(shuffled, random);

      ObservationFile file = FileDecoder.decode(BundleEncoder.message(foreign));
      assertWithMessage("seed %s", seed).that(file.bytes()).isEqualTo(ours);
      assertWithMessage("seed %s", seed)
          .that(FileDecoder.decode(BundleEncoder.message(ours)).bytes())
          .isSameInstanceAs(ours);
    }
  }

  @Test
  public void duckDbsFilesMakeTheBytesOfOurEncoderToo() throws Exception {
    List<Row> rows = rows(new Random(99));
    List<String> sql = new ArrayList<>();
    for (Row row : rows) {
      sql.add(
          "('"
              + row.feature
              + "', "
              + row.key
              + "::BIGINT, "
              + row.value
              + "::BIGINT, make_timestamptz("
              + row.observedAt
              + "), '"
              + row.operation
              + "')");
    }
    ForeignFile file =
        ForeignFile.of(ValueType.INT64, sql.toArray(String[]::new))
            .with("resolver_fqn", "NULL::VARCHAR")
            .withText("tailrace.published_from", Long.toString(BundleEncoder.PUBLISHED_AT));

    assertThat(file.file().bytes()).isEqualTo(encoded(rows));
  }

  @Test
  public void rowsOfOneIdAreOrderedByWhatTheySay() throws Exception {
    List<Row> rows =
        List.of(
            new Row("user.a", 1, null, T, "op"),
            new Row("user.a", 1, 7L, T, "op"),
            new Row("user.a", 1, 8L, T, "op"));
    List<Row> turned = List.of(rows.get(2), rows.get(1), rows.get(0));

    byte[] one = FileDecoder.decode(BundleEncoder.message(foreign(rows, new Random(1)))).bytes();
    byte[] other =
        FileDecoder.decode(BundleEncoder.message(foreign(turned, new Random(2)))).bytes();

    assertThat(one).isEqualTo(other);
  }

  @Test
  public void ourColumnsAndOrderInOneRowGroupWithARightChecksumAreTakenAsTheyAre()
      throws Exception {
    byte[] file = likeOurs(1 << 20, sorted(300));

    assertThat(FileDecoder.decode(BundleEncoder.message(file)).bytes()).isSameInstanceAs(file);
  }

  @Test
  public void aFileOfSeveralRowGroupsIsNotCanonicalWhateverItsChecksum() throws Exception {
    byte[] file = likeOurs(500, sorted(300));

    assertEncodedAnew(file);
  }

  @Test
  public void aFileWhoseFeaturesAreNotSortedIsNotCanonicalWhateverItsChecksum() throws Exception {
    List<Row> rows = sorted(300);
    Collections.swap(rows, 0, 299);
    assertEncodedAnew(likeOurs(1 << 20, rows));
    // Sorted, but for one feature that comes up again.
    List<Row> again = sorted(300);
    again.add(new Row("user.f0", 7, 7L, T, "op-last"));
    assertEncodedAnew(likeOurs(1 << 20, again));
  }

  private static void assertEncodedAnew(byte[] file) throws Exception {
    ObservationFile taken = FileDecoder.decode(BundleEncoder.message(file));

    assertThat(taken.bytes()).isNotEqualTo(file);
    assertThat(FileRows.of(taken)).hasSize((int) taken.rowCount());
    List<String> features = taken.features().stream().map(it -> it.feature()).toList();
    assertThat(features).isInStrictOrder();
  }

  private static List<Row> sorted(int count) {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(new Row("user.f" + i / 100, i, (long) i, T + i, "op-" + i));
    }
    return rows;
  }

  /** A file of Parquet's own writer with our columns, the id included, and a right checksum. */
  private static byte[] likeOurs(long rowGroupBytes, List<Row> rows) throws Exception {
    ParquetFile file =
        ParquetFile.of(ObservationSchema.observations(false, Optional.of(ValueType.INT64)), "INT64")
            .rowGroups(rowGroupBytes)
            .text("tailrace.crc32c", FileChecksum.UNKNOWN);
    for (Row row : rows) {
      file.row(
          group -> {
            put(group, row, 1, false, true);
            group.append(
                "observation_id",
                Binary.fromConstantByteArray(
                    ObservationIds.of(row.operation, row.feature, "" + row.key, row.observedAt)));
          });
    }
    byte[] bytes = file.bytes();
    FileChecksum.write(bytes);
    return bytes;
  }

  @Test
  public void aDecodedFileGoesThroughTheCoderAsItIs() throws Exception {
    byte[] foreign = foreign(rows(new Random(3)), new Random(3));
    ObservationFile file = FileDecoder.decode(BundleEncoder.message(foreign));

    ObservationFile read = CoderUtils.clone(ObservationFileCoder.of(), file);

    assertThat(read.bytes()).isEqualTo(file.bytes());
    assertThat(read.message().payload()).isEqualTo(foreign);
    assertThat(FileRows.of(read)).isEqualTo(FileRows.of(file));
  }

  @Test
  public void queriesOfOthersAreEncodedAnewWithTheColumnsOfThisVersion() throws Exception {
    ObservationFile ours =
        BundleEncoder.files(Results.named("op-1").setQueryName("profile").build()).get(0);
    assertThat(ours.kind()).isEqualTo(Kind.QUERIES);
    byte[] wrongChecksum = ours.bytes().clone();
    wrongChecksum[indexOf(wrongChecksum, "crc32c") + "crc32c".length() + 2] ^= 1;
    assertThat(FileChecksum.isRight(wrongChecksum)).isFalse();

    assertThat(FileDecoder.decode(BundleEncoder.message(wrongChecksum)).bytes())
        .isEqualTo(ours.bytes());
  }

  private static int indexOf(byte[] file, String text) {
    return new String(file, java.nio.charset.StandardCharsets.ISO_8859_1).lastIndexOf(text);
  }

  private static List<Row> rows(Random random) {
    List<Row> rows = new ArrayList<>();
    int count = 1 + random.nextInt(300);
    for (int i = 0; i < count; i++) {
      rows.add(
          new Row(
              "user.f" + random.nextInt(4),
              random.nextInt(50) - 10,
              random.nextInt(5) == 0 ? null : (long) random.nextInt(1_000) - 500,
              T + 1_000L * random.nextInt(50),
              "op-" + i));
    }
    return rows;
  }

  /** What our encoder makes of the rows, each of a result of its own, in canonical order. */
  private static byte[] encoded(List<Row> rows) throws Exception {
    List<Row> sorted = new ArrayList<>(rows);
    sorted.sort(
        Comparator.comparing(Row::feature)
            .thenComparing(Row::observedAt)
            .thenComparing(
                row ->
                    FileRows.hex(
                        ObservationIds.of(
                            row.operation, row.feature, "" + row.key, row.observedAt))));
    List<QueryResult> results = new ArrayList<>();
    for (Row row : sorted) {
      results.add(result(row));
    }
    return BundleEncoder.files(results).get(0).bytes();
  }

  private static QueryResult result(Row row) {
    String name = row.feature.substring("user.".length());
    return Results.named(row.operation)
        .clearDeploymentId()
        .addFrames(
            io.tailrace.v1.Frame.newBuilder()
                .setNamespace("user")
                .addInt64Keys(row.key)
                .addColumns(
                    row.value == null
                        ? Results.int64(name, row.observedAt, 0).toBuilder()
                            .setNulls(com.google.protobuf.ByteString.copyFrom(new byte[] {1}))
                            .clearResolverFqn()
                        : Results.int64(name, row.observedAt, row.value).toBuilder()
                            .clearResolverFqn()))
        .build();
  }

  private static byte[] foreign(List<Row> rows, Random random) throws Exception {
    int unit = random.nextInt(3);
    boolean small = random.nextBoolean();
    boolean withNamespace = random.nextBoolean();
    List<String> columns = new ArrayList<>();
    columns.add("optional binary feature (STRING)");
    columns.add(
        random.nextBoolean() ? "required int64 pkey" : "optional int64 pkey (INTEGER(64,true))");
    columns.add(small ? "optional int32 value" : "optional int64 value");
    columns.add(
        "optional int64 observed_at (TIMESTAMP("
            + List.of("MILLIS", "MICROS", "NANOS").get(unit)
            + ",true))");
    columns.add("required binary operation_id (STRING)");
    columns.add("optional boolean deleted");
    if (withNamespace) {
      columns.add("optional binary namespace (STRING)");
    }
    columns.add("optional binary more (STRING)");
    Collections.shuffle(columns, random);
    ParquetFile file =
        new ParquetFile("INT64", columns.toArray(String[]::new))
            .compressed(
                List.of(
                        CompressionCodecName.SNAPPY,
                        CompressionCodecName.GZIP,
                        CompressionCodecName.UNCOMPRESSED)
                    .get(random.nextInt(3)))
            .rowGroups(random.nextBoolean() ? 500 : 1 << 20)
            .text("tailrace.published_from", Long.toString(BundleEncoder.PUBLISHED_AT));
    if (random.nextBoolean()) {
      file.withoutDictionary();
    }
    for (Row row : rows) {
      file.row(group -> put(group, row, unit, small, withNamespace));
    }
    return file.bytes();
  }

  private static void put(Group group, Row row, int unit, boolean small, boolean withNamespace) {
    group.append("feature", row.feature);
    group.append("pkey", row.key);
    if (row.value != null && small) {
      group.append("value", (int) (long) row.value);
    } else if (row.value != null) {
      group.append("value", (long) row.value);
    }
    group.append(
        "observed_at",
        unit == 0 ? row.observedAt / 1_000 : unit == 1 ? row.observedAt : row.observedAt * 1_000);
    group.append("operation_id", row.operation);
    group.append("deleted", false);
    if (withNamespace) {
      group.append("namespace", "user");
    }
  }
}
